package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"rollway/internal/db"
)

// applicant is what clients tried and were told about one address. All who sign up with an address use one password.
type applicant struct {
	tried, acked int      // sign-ups sent and acknowledged
	numbers      []string // of people, as acknowledged
	captchas     []*usedUp
	proven       bool     // a validation was acknowledged, or refused because it had happened
	sessions     []string // that were acknowledged and not killed
}

// usedUp is a captcha whose right answer was sent.
type usedUp struct {
	number, session string
	fate            fate
}

// signupLedger is what clients who sign up tried and were told.
type signupLedger struct {
	sync.Mutex
	applicants map[string]*applicant // by address
	services   []string              // sessions of the service token that were acknowledged
	ended      []string              // sessions whose end was acknowledged
	burned     []*usedUp             // captchas with three wrong answers, each acknowledged
	unexpected []string
	counts     [3]int
}

func (l *signupLedger) of(address string) *applicant {
	a := l.applicants[address]
	if a == nil {
		a = new(applicant)
		l.applicants[address] = a
	}
	return a
}

// letters are the messages that were sent, and what they confirm.
type letters struct {
	seen   map[string]bool              // files
	tokens map[string]map[string]string // number of a sign-up → token → address
	known  map[string]int               // address → messages that it has an account already
}

var (
	recipient   = regexp.MustCompile(`(?m)^To: .*<([^>]+)>`)
	aboutSignup = regexp.MustCompile(`/password\b`)
)

// read takes in the messages that have come since. It may be called by one client at a time.
func (l *letters) read(box string) error {
	files, err := filepath.Glob(filepath.Join(box, "*.eml"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if l.seen[f] {
			continue
		}
		raw, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		l.seen[f] = true
		text := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(raw))
		to := recipient.FindStringSubmatch(text)
		if to == nil {
			return fmt.Errorf("%s goes to nobody", f)
		}
		if m := confirmation.FindStringSubmatch(text); m != nil {
			if l.tokens[m[1]] == nil {
				l.tokens[m[1]] = map[string]string{}
			}
			l.tokens[m[1]][m[2]] = to[1]
		} else if aboutSignup.MatchString(text) {
			l.known[to[1]]++
		}
	}
	return nil
}

// signupRow is what the database has of one sign-up.
type signupRow struct {
	number                      int64
	org                         int64
	address, state              string
	personState                 string
	personNumber                int64
	groups, memberships, people int64 // of the organization
	grants, logins, addresses   int64 // of the person
	consents                    int64
	password                    string
}

// stored reads all sign-ups with what belongs to them.
func stored(ctx context.Context, tx *db.Tx) (rows []signupRow, err error) {
	err = tx.Each(ctx, `SELECT s.number, s.org_id, s.address, s.state, coalesce(p.state, ''), coalesce(p.number, 0), s.password,
		(SELECT count(*) FROM groups g WHERE g.org_id = s.org_id AND g.is_default = ? AND g.name = 'not managed fleet' AND s.state <> 'known'),
		(SELECT count(*) FROM group_members m JOIN groups g ON g.org_id = m.org_id AND g.id = m.group_id WHERE m.org_id = s.org_id AND m.person_id = s.person_id AND g.is_default = ?),
		(SELECT count(*) FROM people x WHERE x.org_id = s.org_id AND s.state <> 'known'),
		(SELECT count(*) FROM grants g WHERE g.org_id = s.org_id AND g.person_id = s.person_id),
		(SELECT count(*) FROM logins l WHERE l.org_id = s.org_id AND l.person_id = s.person_id AND l.address = s.address),
		(SELECT count(*) FROM login_addresses l WHERE l.org_id = s.org_id AND l.person_id = s.person_id),
		(SELECT count(*) FROM newsletter_consents n WHERE n.org_id = s.org_id AND n.person_id = s.person_id)
		FROM signups s LEFT JOIN people p ON p.org_id = s.org_id AND p.id = s.person_id ORDER BY s.number`, []any{true, true}, func(r *db.Rows) error {
		var s signupRow
		err := r.Scan(&s.number, &s.org, &s.address, &s.state, &s.personState, &s.personNumber, &s.password, &s.groups, &s.memberships, &s.people, &s.grants, &s.logins, &s.addresses, &s.consents)
		rows = append(rows, s)
		return err
	})
	return rows, err
}

// whole says what is missing of a sign-up, or what there is too much of.
func (s signupRow) whole() error {
	want := signupRow{personState: "pending", groups: 1, memberships: 1, people: 1}
	switch s.state {
	case "known": // nothing but a row: somebody has the address
		want = signupRow{org: 1}
	case "waiting":
	case "confirmed":
		want.personState, want.grants, want.logins, want.addresses = "active", 1, 1, 1
	default:
		return fmt.Errorf("half: sign-up %d of %s is %s", s.number, s.address, s.state)
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"in the first organization", s.org == 1, want.org == 1}, {"the person is", s.personState, want.personState}, {"default groups", s.groups, want.groups}, {"memberships", s.memberships, want.memberships}, {"people of the organization", s.people, want.people},
		{"grants", s.grants, want.grants}, {"logins", s.logins, want.logins}, {"addresses", s.addresses, want.addresses}, {"a password waits", s.password != "", s.state != "confirmed"},
	} {
		if c.got != c.want {
			return fmt.Errorf("half: sign-up %d of %s, %s: %s %v, not %v", s.number, s.address, s.state, c.what, c.got, c.want)
		}
	}
	return nil
}
