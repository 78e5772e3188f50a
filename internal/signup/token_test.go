package signup

import (
	"net/netip"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/challenge"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// A token opens sessions until it is revoked or expires, from the origins it is for, while sign-up is on.
func TestServiceTokens(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		i, err := h.CreateToken(h.Context(), operate, TokenRequest{Name: "dashboard", Origins: []string{"https://dash.example"}})
		h.must(err)
		if len(i.Secret) != 40 {
			h.Errorf("a token of %d characters", len(i.Secret))
		}
		session, err := h.OpenSession(h.Context(), i.Secret, "", here)
		h.must(err)
		s, err := h.Session(h.Context(), session)
		h.must(err)
		if s.Token != i.ID || s.Org != id.DefaultOrg || s.Name != "dashboard" {
			h.Errorf("%+v", s)
		}
		_, err = h.OpenSession(h.Context(), i.Secret, "https://dash.example", here)
		h.must(err)
		for secret, origin := range map[string]string{i.Secret: "https://evil.example", i.Secret + "x": "", "": ""} {
			_, err = h.OpenSession(h.Context(), secret, origin, here)
			h.wants(err, fault.Unauthenticated, "token_invalid")
		}
		next, err := h.RotateToken(h.Context(), operate, i.ID, time.Hour)
		h.must(err)
		for _, secret := range []string{i.Secret, next.Secret} {
			_, err = h.OpenSession(h.Context(), secret, "", here)
			h.must(err)
		}
		_, err = h.RotateToken(h.Context(), operate, i.ID, time.Hour)
		h.must(err)
		_, err = h.OpenSession(h.Context(), i.Secret, "", here)
		h.wants(err, fault.Unauthenticated, "token_invalid")

		h.must(h.CloseSession(h.Context(), session))
		h.wants(h.CloseSession(h.Context(), session), fault.Unauthenticated, "session_invalid")
		idle, err := h.OpenSession(h.Context(), next.Secret, "", here)
		h.must(err)
		h.exec("UPDATE signup_sessions SET seen = ?", time.Now().Add(-61*time.Minute))
		_, err = h.Session(h.Context(), idle)
		h.wants(err, fault.Unauthenticated, "session_invalid")

		live, err := h.OpenSession(h.Context(), next.Secret, "", here)
		h.must(err)
		h.Settings.Off = true
		_, err = h.Session(h.Context(), live)
		h.wants(err, fault.Unauthenticated, "session_invalid")
		h.Settings.Off = false
		for range 2 {
			h.must(h.RevokeToken(h.Context(), operate, i.ID))
		}
		_, err = h.Session(h.Context(), live)
		h.wants(err, fault.Unauthenticated, "session_invalid")
		_, err = h.OpenSession(h.Context(), next.Secret, "", here)
		h.wants(err, fault.Unauthenticated, "token_invalid")
		_, err = h.RotateToken(h.Context(), operate, i.ID, time.Hour)
		h.wants(err, fault.Conflict, "token_over")
		h.wants(h.RevokeToken(h.Context(), operate, id.New[id.TokenID]()), fault.NotFound, "token_unknown")

		list, err := h.Tokens(h.Context(), operate)
		h.must(err)
		if len(list) != 1 || list[0].Revoked.IsZero() || list[0].LastUsed.IsZero() || list[0].Origins[0] != "https://dash.example" {
			h.Errorf("%+v", list)
		}
		short, err := h.CreateToken(h.Context(), operate, TokenRequest{Name: "short", Expires: time.Hour})
		h.must(err)
		h.exec("UPDATE signup_tokens SET expires = ? WHERE id = ?", time.Now().Add(-time.Second), short.ID)
		_, err = h.OpenSession(h.Context(), short.Secret, "", here)
		h.wants(err, fault.Unauthenticated, "token_invalid")
		_, err = h.CreateToken(h.Context(), access.Caller{Org: id.DefaultOrg, Kind: access.System, Scopes: access.Signup}, TokenRequest{Name: "x"})
		h.wants(err, fault.Forbidden, "scope_missing")
		owner := access.Caller{Org: id.DefaultOrg, Kind: access.Person, Scopes: access.Admin} // who administers an organization is no operator
		_, err = h.CreateToken(h.Context(), owner, TokenRequest{Name: "x"})
		h.wants(err, fault.Forbidden, "operator_only")
		_, err = h.Tokens(h.Context(), owner)
		h.wants(err, fault.Forbidden, "operator_only")
		h.wants(h.RevokeToken(h.Context(), owner, i.ID), fault.Forbidden, "operator_only")
		for _, origin := range []string{"dash.example", "https://dash.example/", "https://Dash.example", "ftp://x"} {
			_, err = h.CreateToken(h.Context(), operate, TokenRequest{Name: "x", Origins: []string{origin}})
			h.wants(err, fault.Invalid, "token_origin")
		}
	})
}

// Everybody has a dashboard's token: one address opens so many sessions, and wrong answers use up nothing of the token's.
func TestStrangersWithAToken(t *testing.T) {
	few := func(n int) limit.Rule { return limit.Rule{Windows: []limit.Window{{Max: n, Per: time.Hour}}} }
	each(t, Settings{Sessions: few(3), PerToken: few(1)}, func(h *house) {
		i, err := h.CreateToken(h.Context(), operate, TokenRequest{Name: "dashboard"})
		h.must(err)
		for range 3 {
			_, err = h.OpenSession(h.Context(), i.Secret, "", here)
			h.must(err)
		}
		_, err = h.OpenSession(h.Context(), i.Secret, "", here)
		h.wants(err, fault.TooMany, "too_many_tries")
		_, err = h.OpenSession(h.Context(), i.Secret, "", netip.MustParseAddr("198.51.100.1"))
		h.must(err)
		ask := func(email string) Request {
			c, err := h.challenges.Issue(h.Context(), challenge.From{Addr: here, Token: i.ID.String()})
			h.must(err)
			return Request{Via: ByGLPI, From: here, Token: i.ID, Email: email, Password: password, Challenge: c.Number, Answer: h.answers[c.Number]}
		}
		for range 2 {
			wrong := ask("eve@example.org")
			wrong.Answer = "-----"
			_, err = h.Begin(h.Context(), wrong)
			h.wants(err, fault.Invalid, "challenge_failed")
		}
		_, err = h.Begin(h.Context(), ask("ada@example.org"))
		h.must(err)
		_, err = h.Begin(h.Context(), ask("kim@example.org"))
		h.wants(err, fault.TooMany, "too_many_tries")
	})
}
