package launch

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"sync"

	"rollway/internal/fault"
	"rollway/internal/id"
)

// pathTokens makes and checks the part of a package file's path that authorises it. The token names the launch's credential
// and carries a MAC over it and the package, so that checking one costs no look-up of its own.
type pathTokens struct{ macs sync.Pool }

const macSize = 16

func newPathTokens(key []byte) *pathTokens {
	return &pathTokens{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (p *pathTokens) mac(body []byte, pkg id.PackageID) []byte {
	h := p.macs.Get().(hash.Hash)
	defer p.macs.Put(h)
	h.Reset()
	h.Write(body)
	h.Write(pkg[:])
	return h.Sum(nil)[:macSize]
}

func (p *pathTokens) make(org id.OrgID, c id.CredentialID, pkg id.PackageID) string {
	body := binary.AppendUvarint(make([]byte, 0, 48), uint64(org))
	body = append(body, c[:]...)
	return base64.RawURLEncoding.EncodeToString(append(body, p.mac(body, pkg)...))
}

func (p *pathTokens) read(token string, pkg id.PackageID) (id.OrgID, id.CredentialID, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < macSize {
		return 0, id.CredentialID{}, false
	}
	body, mac := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	org, n := binary.Uvarint(body)
	if n <= 0 || len(body) != n+16 || !hmac.Equal(mac, p.mac(body, pkg)) {
		return 0, id.CredentialID{}, false
	}
	return id.OrgID(org), id.CredentialID(body[n:]), true
}

// AuthorizeFile checks the token in the path of a package file and returns the organization the package belongs to. It
// holds as long as the launch's credential does. Fault: Gone (launch_over), the same for a forged and an expired one.
func (l *Launcher) AuthorizeFile(ctx context.Context, pkg id.PackageID, token string) (id.OrgID, error) {
	org, cred, ok := l.tokens.read(token, pkg)
	if !ok {
		return 0, errLaunchOver
	}
	if err := l.credentials.Alive(ctx, org, cred); err != nil {
		if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Forbidden) {
			return 0, errLaunchOver
		}
		return 0, err
	}
	return org, nil
}

var errLaunchOver = fault.New(fault.Gone, "launch_over", "This launch is over. What you did is saved.")
