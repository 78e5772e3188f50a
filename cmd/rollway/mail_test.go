package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/mail/mailtest"
)

// TestRefusedMailIsSentAgain: what a mail server refuses for good is a dead letter that the operator sees, in the list and in
// the doctor's report, and has sent again once the cause is gone, one or all at once: with the link that it had.
func TestRefusedMailIsSentAgain(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		box := mailtest.New(t, 0)
		box.By(func(step string, _ func()) error {
			if step != "RCPT" {
				return nil
			}
			return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Relay access denied"}
		})
		const from = "office@learn.example"
		d := dashboardAt(t, e, "smtp://"+box.Address, "--mail-from", from)
		d.env = append(d.env, "ROLLWAY_MAIL=smtp://"+box.Address, "ROLLWAY_MAIL_FROM="+from)
		session := pick(t, d.want(200, "GET", "/initSession?user_token="+d.service, nil, "").body, "/session_token")
		people := []string{"ada@example.org", "bob@example.org", "eve@example.org"}
		for _, address := range people {
			d.apply(session, address)
		}
		dead := d.unsent(func(all []shownMail) bool { return len(all) == 3 && all[0].Dead && all[1].Dead && all[2].Dead })
		for _, m := range dead {
			if m.Kind != "confirm" || m.State != "dead" || m.Attempts != 1 || m.DueAt != nil || !strings.HasSuffix(m.To, "…@example.org") || !strings.HasSuffix(m.Error, "answers 554 to RCPT: 5.7.1 Relay access denied") {
				t.Errorf("%+v", m)
			}
		}
		if said := d.run("doctor"); !strings.Contains(said, "3 messages were refused") {
			t.Errorf("the doctor says %s", said)
		}
		box.By(nil)
		d.run("mail", "retry", fmt.Sprint(dead[0].Number))
		d.unsent(func(all []shownMail) bool { return len(all) == 2 })
		d.run("mail", "retry", "--dead")
		d.unsent(func(all []shownMail) bool { return len(all) == 0 })
		got := box.All()
		if len(got) != len(people) {
			t.Fatalf("%d messages came", len(got))
		}
		for i, p := range got {
			m := confirmation.FindStringSubmatch(strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(string(p.Raw)))
			if m == nil || p.From != from || i == 0 && p.To != people[0] {
				t.Fatalf("from %s to %s: %s", p.From, p.To, p.Raw)
			}
			if a, err := d.validate(session, m[1], m[2]); err != nil || a.status != 200 {
				t.Errorf("%s: %+v %v", p.To, a, err)
			}
		}
		t.Logf("proof: %s: %d messages that a mail server refused are dead letters, and confirm once they are sent again", t.Name(), len(got))
	})
}

// unsent waits until what has not left is as it should be, and returns it.
func (d *dashboard) unsent(ok func([]shownMail) bool) (all []shownMail) {
	d.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		all = nil
		d.must(json.Unmarshal([]byte(d.run("mail", "list", "-o", "json")), &all))
		if ok(all) {
			return all
		}
		if time.Now().After(end) {
			d.Fatalf("not within a minute: %+v", all)
		}
	}
}
