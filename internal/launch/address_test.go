package launch

import (
	"net/url"
	"testing"

	"pgregory.net/rapid"

	"rollway/internal/id"
)

func TestWithParametersKeepsTheAddress(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"https://a.example/x", "https://a.example/x?auth=Basic%20a%2Bb%3D"},
		{"https://a.example/x?pages=2", "https://a.example/x?pages=2&auth=Basic%20a%2Bb%3D"},
		{"https://a.example/x#/lesson/1?y=2", "https://a.example/x?auth=Basic%20a%2Bb%3D#/lesson/1?y=2"},
		{"https://a.example/x?p=1#f", "https://a.example/x?p=1&auth=Basic%20a%2Bb%3D#f"},
	} {
		if got := withParameters(c.address, []parameter{{"auth", "Basic a+b="}}); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.address, got, c.want)
		}
	}
}

// Content decodes with decodeURIComponent, which leaves + alone: none may be written, and everything must come back.
func TestWithParametersComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		got := withParameters("https://a.example/", []parameter{{"v", value}})
		raw := got[len("https://a.example/?v="):]
		back, err := url.PathUnescape(raw) // + stays +, as in decodeURIComponent
		if err != nil || back != value {
			t.Fatalf("%q came back as %q, %v", value, back, err)
		}
	})
}

func TestPackageOriginIsReadBack(t *testing.T) {
	p := id.New[id.PackageID]()
	origin, prefix := PackageOrigin(Addresses{Courseware: "https://content.example:8443"}, p)
	u, err := url.Parse(origin)
	if err != nil || prefix != "" || u.Port() != "8443" {
		t.Fatalf("%s %s %v", origin, prefix, err)
	}
	if got, err := ParsePackageLabel(u.Hostname()[:34]); err != nil || got != p {
		t.Fatalf("%v, %v", got, err)
	}
	origin, prefix = PackageOrigin(Addresses{Courseware: "https://content.example", SingleHost: true}, p)
	if got, err := ParsePackageLabel(prefix[1:]); origin != "https://content.example" || err != nil || got != p {
		t.Fatalf("%s %s %v", origin, prefix, err)
	}
	for _, bad := range []string{"", "p-", "p-zz", "x" + prefix[2:], "p-" + p.String()} {
		if got, err := ParsePackageLabel(bad); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}

func TestPathTokenHoldsForItsPackageAlone(t *testing.T) {
	tokens := newPathTokens([]byte("0123456789abcdef0123456789abcdef"))
	rapid.Check(t, func(t *rapid.T) {
		org := id.OrgID(rapid.Int64Range(1, 1<<40).Draw(t, "org"))
		cred, pkg := id.New[id.CredentialID](), id.New[id.PackageID]()
		token := tokens.make(org, cred, pkg)
		if o, c, ok := tokens.read(token, pkg); !ok || o != org || c != cred {
			t.Fatalf("read %v %v %v", o, c, ok)
		}
		if _, _, ok := tokens.read(token, id.New[id.PackageID]()); ok {
			t.Fatal("holds for another package")
		}
		i := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		forged := []byte(token)
		forged[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[rapid.IntRange(0, 63).Draw(t, "as")]
		if _, _, ok := tokens.read(string(forged), pkg); ok && string(forged) != token {
			t.Fatalf("%s was taken for %s", forged, token)
		}
	})
}

func FuzzPathToken(f *testing.F) {
	tokens := newPathTokens([]byte("0123456789abcdef0123456789abcdef"))
	pkg := id.New[id.PackageID]()
	f.Add(tokens.make(1, id.New[id.CredentialID](), pkg) + "x")
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, ok := tokens.read(token, id.PackageID{1}); ok {
			t.Fatalf("%q holds", token)
		}
	})
}
