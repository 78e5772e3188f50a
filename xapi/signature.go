package xapi

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"

	"github.com/go-json-experiment/json"
)

// Signature is the data of an attachment that signs a statement: a JSON Web
// Signature in compact serialization (Data 2.6, RFC 7515).
type Signature struct {
	Algorithm   string            // RS256, RS384 or RS512
	Payload     []byte            // JSON text of the statement before it was signed
	Certificate *x509.Certificate // the signer's, the first of x5c; nil without x5c

	signed []byte // what the signature is over: header.payload
	value  []byte
}

var (
	ruleJWS         = rule{"a signature must be a JSON Web Signature in compact serialization: three parts in base64url with full stops between", "RFC 7515, 7.1"}
	ruleJWSHeader   = rule{"the header of a signature must be a JSON object with alg, and without crit", "RFC 7515, 4.1"}
	ruleJWSAlg      = rule{"a signature must use RS256, RS384 or RS512", "Data 2.6"}
	ruleJWSX5C      = rule{"x5c must be an array of certificates (DER in base64), the first with an RSA key", "RFC 7515, 4.1.6"}
	ruleJWSVerifies = rule{"a signature must verify with the certificate that it holds", "Data 2.6"}
	ruleJWSPayload  = rule{"the payload of a signature must be the statement before it was signed", "Data 2.6"}
)

var signatureHashes = map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}

// base64url is without padding and takes one form of each text only.
var base64url = base64.RawURLEncoding.Strict()

// maxSignerKey bounds the modulus of a signer's key, in bits, as verifying
// takes time that grows with it.
const maxSignerKey = 16384

// ParseSignature reads a signature. The error is an [*Error].
func ParseSignature(src []byte) (Signature, error) {
	parts := bytes.Split(src, []byte{'.'})
	if len(parts) != 3 || bytes.ContainsAny(src, "\r\n") { // which the decoder overlooks
		return Signature{}, ruleJWS.broken(clipped(src))
	}
	var decoded [3][]byte
	for i, part := range parts {
		b, err := base64url.AppendDecode(nil, part)
		if err != nil || len(b) == 0 {
			return Signature{}, ruleJWS.broken(clipped(part))
		}
		decoded[i] = b
	}
	s := Signature{Payload: decoded[1], value: decoded[2], signed: src[:len(parts[0])+1+len(parts[1])]}
	return s, s.header(decoded[0])
}

// header reads the protected header. What it does not name here is for others
// than the record store.
func (s *Signature) header(text []byte) error {
	var h struct {
		Algorithm *string `json:"alg"`
		Critical  *any    `json:"crit"`
		Chain     *[]any  `json:"x5c"`
	}
	if err := json.Unmarshal(text, &h); err != nil || h.Algorithm == nil || h.Critical != nil {
		return ruleJWSHeader.broken(clipped(text))
	}
	if s.Algorithm = *h.Algorithm; signatureHashes[s.Algorithm] == 0 {
		return ruleJWSAlg.broken(s.Algorithm)
	}
	if h.Chain == nil {
		return nil
	}
	for i, value := range *h.Chain {
		text, ok := value.(string)
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if !ok || err != nil {
			return ruleJWSX5C.broken(text)
		}
		if i > 0 {
			continue // the chain is for those who decide whom to trust
		}
		if s.Certificate, err = x509.ParseCertificate(der); err != nil {
			return ruleJWSX5C.broken(err.Error())
		}
	}
	if key := s.key(); key == nil || key.N.BitLen() > maxSignerKey {
		return ruleJWSX5C.broken("another key")
	}
	return nil
}

// key is the RSA key of the certificate, nil without one.
func (s *Signature) key() *rsa.PublicKey {
	if s.Certificate == nil {
		return nil
	}
	key, _ := s.Certificate.PublicKey.(*rsa.PublicKey)
	return key
}

// Check tells whether the signature is well formed for a valid statement, given
// as JSON text: it verifies with its certificate, if it has one, and its payload
// is a valid statement by the rules of the line that [Equal]s this one. Whether
// the signer is to be trusted is not asked. The error is an [*Error].
func (s *Signature) Check(statement []byte, line Version) error {
	if key := s.key(); key != nil {
		hash := signatureHashes[s.Algorithm]
		h := hash.New()
		h.Write(s.signed)
		if err := rsa.VerifyPKCS1v15(key, hash, h.Sum(nil), s.value); err != nil {
			return &Error{Rule: ruleJWSVerifies.text, Found: err.Error(), Section: ruleJWSVerifies.section}
		}
	}
	if _, err := Read(s.Payload, line); err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return err
		}
		return &Error{Rule: ruleJWSPayload.text, Found: "one that breaks a rule: " + e.Error(), Section: ruleJWSPayload.section}
	}
	same, err := Equal(statement, s.Payload)
	if err != nil {
		return err
	}
	if !same {
		return &Error{Rule: ruleJWSPayload.text, Found: "another statement", Section: ruleJWSPayload.section}
	}
	return nil
}

// clipped is the start of some input as text.
func clipped(b []byte) string {
	return string(bytes.ToValidUTF8(b[:min(len(b), maxFound+1)], []byte("\uFFFD")))
}
