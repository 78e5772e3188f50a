package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollway/internal/db"
)

// TestTheSignUpOracleSees spoils the database, the mail and the ledger behind the oracle's back, and each fault must be found.
func TestTheSignUpOracleSees(t *testing.T) {
	t.Parallel()
	g := newRegistrar(newDashboard(t, db.SQLite, unlimited()...))
	k := &signupKiller{registrar: g, seed: 1}
	c := &signupClient{signupKiller: k, ctx: context.Background(), name: "x", r: newRand(1, 1)}
	for c.n = range 12 {
		c.signsUp()
	}
	s, err := g.session()
	g.must(err)
	waiting := "waiting@example.org"
	if !c.apply(pick(t, s.body, "/session_token"), waiting) {
		t.Fatal("nobody waits")
	}
	c.mailFor(waiting)
	if errs := g.verify(true); len(errs) > 0 {
		t.Fatal(errs)
	}
	rows := slices.DeleteFunc(g.signups(), func(r signupRow) bool { return r.state == "known" })
	if len(rows) < 8 {
		t.Fatalf("only %d sign-ups", len(rows))
	}
	spoil := func(query string, args ...any) {
		t.Helper()
		g.must(g.db.Write(t.Context(), func(tx *db.Tx) error {
			n, err := tx.Exec(t.Context(), query, args...)
			if err == nil && n == 0 {
				err = fmt.Errorf("%s changes nothing", query)
			}
			return err
		}))
	}
	of := func(i int) signupRow { return rows[i] }
	lone := "" // the number of a captcha whose applicant is spoiled in no other way that hides it
	for address, a := range g.applicants {
		if a.tried != 1 || slices.Contains([]string{of(0).address, of(1).address, of(5).address, of(6).address}, address) {
			continue
		}
		for _, c := range a.captchas {
			if c.fate == acknowledged {
				lone = c.number
			}
		}
	}
	spoil("DELETE FROM groups WHERE org_id = ?", of(0).org)
	spoil("DELETE FROM group_members WHERE org_id = ?", of(1).org)
	spoil("DELETE FROM logins WHERE org_id = ?", of(2).org)
	spoil("DELETE FROM grants WHERE org_id = ?", of(3).org)
	spoil("UPDATE people SET state = 'pending' WHERE org_id = ?", of(4).org)
	spoil("DELETE FROM signups WHERE number = ?", of(5).number)
	spoil("INSERT INTO organizations (slug, name, created) VALUES ('empty', 'Empty', 0)")
	spoil("UPDATE challenges SET used = NULL WHERE number = ?", numberIn(lone))
	g.must(os.WriteFile(filepath.Join(g.box, "again.eml"), fmt.Appendf(nil, "To: <%s>\n\n/confirm/%d/%s", of(6).address, of(6).number, strings.Repeat("a", 64)), 0o600))
	g.must(os.WriteFile(filepath.Join(g.box, "other.eml"), fmt.Appendf(nil, "To: <nobody@example.com>\n\n/confirm/99999/%s", strings.Repeat("b", 64)), 0o600))
	delete(g.letters.tokens, fmt.Sprint(of(7).number))
	g.applicants["never@example.org"] = &applicant{tried: 1, acked: 1, proven: true}
	delete(g.applicants, of(1).address)
	a := g.of(of(6).address)
	a.numbers, a.tried, a.sessions = []string{"0"}, 1, append(a.sessions, "no-session")
	g.services = append(g.services, "no-session")
	live, err := g.signIn(of(6).address, newPassword)
	g.must(err)
	g.ended = append(g.ended, pick(t, live.body, "/session_token"))
	captcha, err := g.captcha(pick(t, s.body, "/session_token"))
	g.must(err)
	g.burned = append(g.burned, &usedUp{number: pick(t, captcha.body, "/id"), session: pick(t, s.body, "/session_token")})
	var all strings.Builder
	for _, err := range g.verify(true) {
		all.WriteString(err.Error() + "\n")
	}
	want := []string{
		"default groups 0", "memberships 0", "logins 0", "grants 0", "the person is pending", "1 people without a sign-up", "1 organizations without people",
		"is not used up", "has 2 tokens", "phantom: mail for nobody@example.com", "1 sign-ups have no mail", "lost: the sign-up of never@example.org",
		"phantom: nobody signed up as " + of(1).address, "and was told 0", "lost: the session of " + of(6).address, "lost: a session of the service token",
		"lost: the end of a session", "was burned and opens",
	}
	for _, w := range want {
		if !strings.Contains(all.String(), w) {
			t.Errorf("the oracle does not see %q in\n%s", w, all.String())
		}
	}
	t.Logf("proof: the oracle of sign-up finds each of %d seeded faults", len(want))
}
