package credential

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// maxHeader is longer than any header that could be good: 255 bytes of user name and of secret in base64, with room.
const maxHeader = access.MaxSecret

// Authenticate finds who is asking by the value of an Authorization header: "Basic …" (RFC 7617) with the user name and
// secret of a credential or the key and secret of a service account, "Bearer …" (RFC 6750) with a service account's token,
// and where api is true that token alone. The caller is shared and must not be changed.
//
// Faults: Unauthenticated (credential_missing, authorization_malformed, credential_invalid, and with the right secret
// credential_expired or credential_revoked); Forbidden (person_suspended, person_pending) with the right secret.
func (v *Vault) Authenticate(ctx context.Context, header string, api bool) (access.Caller, error) {
	if len(header) > maxHeader {
		return access.Caller{}, malformed("it is too long")
	}
	way := byte('h')
	if api {
		way = 'a'
	}
	return v.recall(ctx, v.known.Fingerprint(way, header), func() (pair, error) { return parseHeader(header, api) })
}

// AuthenticateBasic is Authenticate for a user name and secret that came by another way than a header.
func (v *Vault) AuthenticateBasic(ctx context.Context, username, secret string) (access.Caller, error) {
	if len(username)+len(secret) > maxHeader-1 {
		return access.Caller{}, access.Unverified()
	}
	return v.recall(ctx, v.known.Fingerprint('b', username+":"+secret), func() (pair, error) { return pair{username, secret}, nil })
}

// pair is a user name and secret as presented.
type pair struct{ username, secret string }

func (v *Vault) recall(ctx context.Context, f access.Fingerprint, parse func() (pair, error)) (access.Caller, error) {
	now := v.Now()
	if a := v.remembered(f, now.UnixMicro()); a != nil {
		v.noteUse(a, now)
		return a.caller, nil
	}
	if err := v.known.Refused(f, now.UnixMicro()); err != nil {
		return access.Caller{}, err
	}
	p, err := parse()
	if err != nil {
		return access.Caller{}, err
	}
	before := v.known.Moment()
	if access.IsKey(p.username) {
		return v.verifyAccount(ctx, f, p, before, now)
	}
	row, err := v.readByName(ctx, p)
	return v.settle(f, row, err, before, now)
}

func (v *Vault) verifyAccount(ctx context.Context, f access.Fingerprint, p pair, before access.Moment, now time.Time) (access.Caller, error) {
	found, err := v.accounts.Verify(ctx, p.username, p.secret)
	if err != nil {
		v.refusedNow(f, err, before, now)
		return access.Caller{}, err
	}
	a := &answer{caller: found.Caller}
	if !found.Expires.IsZero() {
		a.expires.Store(found.Expires.UnixMicro())
	}
	v.noteUse(a, now)
	v.known.Keep(f, a, before, found.Caller.ServiceAccount)
	return a.caller, nil
}

// settle judges what was read and remembers it.
func (v *Vault) settle(f access.Fingerprint, r row, err error, before access.Moment, now time.Time) (access.Caller, error) {
	if err == nil {
		if until := v.uses.expiry(r.ID); until.After(r.Expires) {
			r.Expires = until
		}
		err = r.judge(now)
	}
	if err != nil {
		v.refusedNow(f, err, before, now)
		return access.Caller{}, err
	}
	a := &answer{caller: r.caller(), sliding: r.Kind == Launch, limit: r.Created.Add(v.Limits.LaunchMax).UnixMicro()}
	a.expires.Store(r.until().UnixMicro())
	v.noteUse(a, now)
	v.known.Keep(f, a, before, r.ID, r.Person, r.Parent, r.MintedBy)
	return a.caller, nil
}

func (v *Vault) refusedNow(f access.Fingerprint, err error, before access.Moment, now time.Time) {
	if fault.Is(err, fault.Unauthenticated) { // a suspended person may be resumed at any time
		v.known.Refuse(f, err, before, now.UnixMicro())
	}
}

// Alive returns nil while a credential would be accepted, for what a launch hands out that stands for its credential. It
// counts as a use. Faults: as Authenticate with the right secret.
func (v *Vault) Alive(ctx context.Context, org id.OrgID, c id.CredentialID) error {
	f := v.known.Fingerprint('i', string(binary.BigEndian.AppendUint64(c[:], uint64(org))))
	now := v.Now()
	if a := v.remembered(f, now.UnixMicro()); a != nil {
		v.noteUse(a, now)
		return nil
	}
	before := v.known.Moment()
	row, err := v.readByID(ctx, org, c)
	_, err = v.settle(f, row, err, before, now)
	return err
}

func parseHeader(header string, api bool) (pair, error) {
	if header == "" {
		return pair{}, fault.New(fault.Unauthenticated, "credential_missing", "This needs a credential, in the header Authorization.")
	}
	scheme, rest, spaced := strings.Cut(header, " ")
	rest = strings.TrimLeft(rest, " ")
	switch {
	case !spaced && api:
		return parseToken(header)
	case strings.EqualFold(scheme, "bearer"):
		return parseToken(rest)
	case strings.EqualFold(scheme, "basic"):
		raw, err := base64.StdEncoding.Strict().DecodeString(rest)
		if err != nil || strings.ContainsAny(rest, "\r\n") { // the decoder skips line ends
			return pair{}, malformed("what follows Basic is not base64")
		}
		username, secret, ok := strings.Cut(string(raw), ":")
		if !ok {
			return pair{}, malformed("it holds no colon between user name and secret")
		}
		return pair{username, secret}, nil
	}
	return pair{}, malformed("it begins with neither Basic nor Bearer")
}

func parseToken(token string) (pair, error) {
	key, secret, ok := access.SplitToken(token)
	if !ok {
		return pair{}, access.Unverified()
	}
	return pair{key, secret}, nil
}

func malformed(why string) error {
	return fault.New(fault.Unauthenticated, "authorization_malformed", "The header Authorization cannot be read: %s.", why)
}
