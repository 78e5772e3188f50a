package credential

import (
	"encoding/base64"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault/faulttest"
)

func TestParseHeader(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	token := "rwt_" + strings.Repeat("K", 26) + strings.Repeat("S", 52)
	key, secret := "rwk_"+strings.Repeat("K", 26), "rws_"+strings.Repeat("S", 52)
	for _, c := range []struct {
		header           string
		api              bool
		username, secret string
		code             string
	}{
		{"Basic " + b64("user:pass"), false, "user", "pass", ""},
		{"bAsIc  " + b64("user:pa:ss"), false, "user", "pa:ss", ""},
		{"Basic " + b64(":"), false, "", "", ""},
		{"Basic " + b64("Zoë:ünï"), false, "Zoë", "ünï", ""},
		{"Bearer " + token, false, key, secret, ""},
		{token, true, key, secret, ""},
		{token, false, "", "", "authorization_malformed"},
		{"", true, "", "", "credential_missing"},
		{"Basic", true, "", "", "credential_invalid"},
		{"Basic", false, "", "", "authorization_malformed"},
		{"Basic ", false, "", "", "authorization_malformed"},
		{"Basic " + b64("nocolon"), false, "", "", "authorization_malformed"},
		{"Basic " + strings.TrimRight(b64("user:passw"), "="), false, "", "", "authorization_malformed"},
		{"Basic " + b64("user:pass") + " ", false, "", "", "authorization_malformed"},
		{"Basic " + b64("user:pass")[:4] + "\n" + b64("user:pass")[4:], false, "", "", "authorization_malformed"},
		{"Basic\t" + b64("user:pass"), false, "", "", "authorization_malformed"},
		{" Basic " + b64("user:pass"), false, "", "", "authorization_malformed"},
		{"Bearer " + token[:81], false, "", "", "credential_invalid"},
		{"Digest " + token, true, "", "", "authorization_malformed"},
	} {
		p, err := parseHeader(c.header, c.api)
		if faulttest.Code(t, err) != c.code || p != (pair{c.username, c.secret}) {
			t.Errorf("%q: %+v, %v", c.header, p, err)
		}
	}
}

func TestLongHeadersAreRefused(t *testing.T) {
	r := newRig(t, dbtest.Open(t, db.SQLite))
	_, err := r.Authenticate(t.Context(), "Basic "+strings.Repeat("A", 1020), true)
	if faulttest.Code(t, err) != "authorization_malformed" {
		t.Fatal(err)
	}
	if _, err := r.AuthenticateBasic(t.Context(), strings.Repeat("A", 600), strings.Repeat("A", 600)); faulttest.Code(t, err) != "credential_invalid" {
		t.Fatal(err)
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add("Basic dXNlcjpwYXNz", true)
	f.Add("Bearer rwt_"+strings.Repeat("A", 78), false)
	f.Add("rwt_"+strings.Repeat("A", 78), true)
	f.Fuzz(func(t *testing.T, header string, api bool) {
		p, err := parseHeader(header, api)
		if err != nil {
			if p != (pair{}) || faulttest.Code(t, err) == "" {
				t.Fatalf("%q: %+v with %v", header, p, err)
			}
			return
		}
		if access.IsKey(p.username) && p.secret != "" {
			return
		}
		scheme, rest, _ := strings.Cut(header, " ")
		want := base64.StdEncoding.EncodeToString([]byte(p.username + ":" + p.secret))
		if !strings.EqualFold(scheme, "basic") || strings.TrimLeft(rest, " ") != want {
			t.Fatalf("%q was read as %+v", header, p)
		}
	})
}
