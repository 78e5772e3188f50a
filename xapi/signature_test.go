package xapi_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"rollway/xapi"
)

var b64 = base64.RawURLEncoding.EncodeToString

var signer = sync.OnceValues(func() (*rsa.PrivateKey, string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key, certify(key)
})

// certify makes a certificate as it stands in x5c.
func certify(key crypto.Signer) string {
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// signed is a JWS as its sender writes it, with the header given.
func signed(t testing.TB, hash crypto.Hash, header, payload string) string {
	t.Helper()
	text := b64([]byte(header)) + "." + b64([]byte(payload))
	h := hash.New()
	h.Write([]byte(text))
	key, _ := signer()
	value, err := rsa.SignPKCS1v15(nil, key, hash, h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(value)
}

func checkSignature(text, statement string, line xapi.Version) error {
	s, err := xapi.ParseSignature([]byte(text))
	if err != nil {
		return err
	}
	return s.Check([]byte(statement), line)
}

func TestSignature(t *testing.T) {
	t.Parallel()
	_, cert := signer()
	x5c := func(alg, certs string) string { return `{"alg":"` + alg + `","x5c":[` + certs + `]}` }
	mine := `"` + cert + `"`
	plain := statementWith("result", `{"duration":"PT1.234S"}`)
	withSignature := strings.TrimSuffix(plain, "}") + `,"attachments":[` + attachment(string(xapi.SignatureUsage)) + `]}`
	for name, c := range map[string]struct {
		hash    crypto.Hash
		header  string
		payload string
	}{
		"RS256 without a certificate": {crypto.SHA256, `{"alg":"RS256"}`, plain},
		"RS256":                       {crypto.SHA256, x5c("RS256", mine), plain},
		"RS384":                       {crypto.SHA384, x5c("RS384", mine), plain},
		"RS512":                       {crypto.SHA512, x5c("RS512", mine), plain},
		"a chain":                     {crypto.SHA256, x5c("RS256", mine+`,"AAAA"`), plain},
		"a duration to 0.01 s":        {crypto.SHA256, `{"alg":"RS256","typ":"JWT"}`, strings.Replace(plain, "1.234", "1.239", 1)},
		"what the store sets":         {crypto.SHA256, `{"alg":"RS256"}`, statementWith("id", `"00000000-0000-4000-8000-000000000001","result":{"duration":"PT1.23S"}`)},
		"white space":                 {crypto.SHA256, `{"alg":"RS256"}`, strings.ReplaceAll(plain, `,"`, `, "`)},
	} {
		for _, line := range []xapi.Version{xapi.V1, xapi.V2} {
			if err := checkSignature(signed(t, c.hash, c.header, c.payload), withSignature, line); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestSignatureRefused(t *testing.T) {
	t.Parallel()
	_, cert := signer()
	plain := statementWith("actor", someAgent)
	good := signed(t, crypto.SHA256, `{"alg":"RS256","x5c":["`+cert+`"]}`, plain)
	parts := strings.Split(good, ".")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hs := hmac.New(sha256.New, []byte("secret"))
	hs.Write([]byte(b64([]byte(`{"alg":"HS256"}`)) + "." + b64([]byte(plain))))
	make256 := func(header, payload string) string { return signed(t, crypto.SHA256, header, payload) }
	for name, c := range map[string]struct{ text, rule string }{
		"nothing":                 {"", "compact serialization"},
		"two parts":               {parts[0] + "." + parts[1], "compact serialization"},
		"four parts":              {good + ".x", "compact serialization"},
		"a line feed at the end":  {good + "\n", "compact serialization"},
		"padding":                 {parts[0] + "=." + parts[1] + "." + parts[2], "compact serialization"},
		"no base64":               {parts[0] + "." + parts[1] + ".$", "compact serialization"},
		"no signature":            {parts[0] + "." + parts[1] + ".", "compact serialization"},
		"JSON serialization":      {`{"payload":"x"}`, "compact serialization"},
		"a header that is none":   {make256(`[]`, plain), "JSON object with alg"},
		"a name twice":            {make256(`{"alg":"RS256","alg":"RS256"}`, plain), "JSON object with alg"},
		"no alg":                  {make256(`{"ALG":"RS256"}`, plain), "JSON object with alg"},
		"crit":                    {make256(`{"alg":"RS256","crit":["b64"],"b64":false}`, plain), "without crit"},
		"none":                    {make256(`{"alg":"none"}`, plain), "RS256, RS384 or RS512"},
		"HS256":                   {b64([]byte(`{"alg":"HS256"}`)) + "." + b64([]byte(plain)) + "." + b64(hs.Sum(nil)), "RS256, RS384 or RS512"},
		"PS256":                   {make256(`{"alg":"PS256"}`, plain), "RS256, RS384 or RS512"},
		"lower case":              {make256(`{"alg":"rs256"}`, plain), "RS256, RS384 or RS512"},
		"no certificate in x5c":   {make256(`{"alg":"RS256","x5c":[]}`, plain), "x5c"},
		"x5c of another type":     {make256(`{"alg":"RS256","x5c":[1]}`, plain), "x5c"},
		"x5c that is no base64":   {make256(`{"alg":"RS256","x5c":["$"]}`, plain), "x5c"},
		"x5c that is none":        {make256(`{"alg":"RS256","x5c":["AAAA"]}`, plain), "x5c"},
		"x5c with a curve":        {make256(`{"alg":"RS256","x5c":["`+certify(curve)+`"]}`, plain), "x5c"},
		"another's certificate":   {make256(`{"alg":"RS256","x5c":["`+certify(other)+`"]}`, plain), "must verify"},
		"another hash than named": {make256(`{"alg":"RS384","x5c":["`+cert+`"]}`, plain), "must verify"},
		"another payload":         {parts[0] + "." + b64([]byte(plain+" ")) + "." + parts[2], "must verify"},
		"a payload that is none":  {make256(`{"alg":"RS256"}`, `{'actor':1}`), "payload"},
		"an invalid payload":      {make256(`{"alg":"RS256"}`, `{"actor":1}`), "payload"},
		"another statement":       {make256(`{"alg":"RS256"}`, statementWith("object", `{"id":"http://example.com/other"}`)), "payload"},
		"more in the payload":     {make256(`{"alg":"RS256"}`, statementWith("result", `{"success":true}`)), "payload"},
		"other attachments":       {make256(`{"alg":"RS256"}`, statementWith("attachments", `[`+attachment("x:y")+`]`)), "payload"},
	} {
		err := checkSignature(c.text, plain, xapi.V1)
		var e *xapi.Error
		if !errors.As(err, &e) || !strings.Contains(e.Rule, c.rule) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nothing makes reading a signature fail but with a rule, and what is read says what was sent.
func FuzzParseSignature(f *testing.F) {
	_, cert := signer()
	plain := statementWith("actor", someAgent)
	f.Add([]byte(signed(f, crypto.SHA256, `{"alg":"RS256"}`, plain)))
	f.Add([]byte(signed(f, crypto.SHA512, `{"alg":"RS512","x5c":["`+cert+`"]}`, plain)))
	f.Add([]byte("e30.e30.e30"))
	f.Add([]byte(".."))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := xapi.ParseSignature(text)
		var e *xapi.Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("%v", err)
			}
			return
		}
		if payload := strings.Split(string(text), ".")[1]; payload != b64(s.Payload) {
			t.Errorf("payload %q read as %q", payload, s.Payload)
		}
		if err := s.Check([]byte(plain), xapi.V2); err != nil && !errors.As(err, &e) {
			t.Errorf("check: %v", err)
		}
	})
}
