package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// fate is what a client knows of a write. What was not answered, or answered with 5xx, may or may not have happened.
type fate uint8

const (
	maybe fate = iota
	acknowledged
	refused
)

func fateOf(a answer, err error) fate {
	switch {
	case err != nil || a.status >= 500:
		return maybe
	case a.status < 400:
		return acknowledged
	}
	return refused
}

// batch is statements sent in one request: all of them are stored or none.
type batch struct {
	ids, bodies []string
	fate        fate
	data        bool // each came with an attachment: dataOf its id
}

// register is a value that one writer only ever raises: a document, or an attribute of a person. The value stored must be
// one that was tried, and none before the last acknowledged.
type register struct{ acknowledged, tried int }

// minted is a credential; from the end of the mint on, perhaps revoked.
type minted struct {
	user, secret    string
	mint, revoke    fate
	revocationTried bool
}

// ledger is what the writers tried and were told.
type ledger struct {
	sync.Mutex
	batches     []*batch
	documents   map[string]*register // state id → value
	people      map[string]*register // account name → value
	credentials []*minted
	children    []string // Authorization headers that acknowledged launches gave to content
	unexpected  []string // answers that no client should get
	counts      [3]int   // by fate
}

func newLedger() *ledger {
	return &ledger{documents: map[string]*register{}, people: map[string]*register{}}
}

// note keeps an answer that should have been a success.
func (l *ledger) note(what string, a answer, f fate) {
	l.Lock()
	defer l.Unlock()
	l.counts[f]++
	if f == refused {
		l.unexpected = append(l.unexpected, fmt.Sprintf("%s: %d %s", what, a.status, a.body))
	}
}

// raise notes that the next value of a register is being tried, and returns it.
func (l *ledger) raise(of map[string]*register, key string) (*register, int) {
	l.Lock()
	defer l.Unlock()
	r := of[key]
	if r == nil {
		r = new(register)
		of[key] = r
	}
	r.tried++
	return r, r.tried
}

func (r *register) check(what string, got int) error {
	if got < r.acknowledged {
		return fmt.Errorf("lost: %s is %d, and %d was acknowledged", what, got, r.acknowledged)
	}
	if got > r.tried {
		return fmt.Errorf("phantom: %s is %d, and only %d was tried", what, got, r.tried)
	}
	return nil
}

// oracle reads everything back through the server's doors and command line, and holds it against the ledger.
type oracle struct {
	*house
	*ledger
	reader []string // headers of a service account that reads everything
	errs   []error
}

func (o *oracle) blame(err error) {
	if err != nil {
		o.errs = append(o.errs, err)
	}
}

func (o *oracle) verify() []error {
	o.errs = nil
	o.statements()
	o.everyone()
	o.texts()
	o.doors()
	for _, u := range o.unexpected {
		o.blame(fmt.Errorf("refused: %s", u))
	}
	return o.errs
}

// statements reads all there are, page by page: each batch whole or not at all, nothing twice, nothing from nowhere.
func (o *oracle) statements() {
	stored := map[string]jsontext.Value{}
	for path := "/xapi/statements?ascending=true&limit=500"; path != ""; {
		var page struct {
			Statements []jsontext.Value `json:"statements"`
			More       string           `json:"more"`
		}
		a := o.want(200, "GET", path, o.reader, "")
		o.must(json.Unmarshal([]byte(a.body), &page))
		for _, s := range page.Statements {
			key := pick(o, string(s), "/id")
			if stored[key] != nil {
				o.blame(fmt.Errorf("duplicated: statement %s is listed twice", key))
			}
			stored[key] = s
		}
		path = strings.TrimPrefix(page.More, o.url)
	}
	for _, b := range o.batches {
		there := 0
		for i, key := range b.ids {
			s, ok := stored[key]
			delete(stored, key)
			if !ok {
				continue
			}
			there++
			o.blame(sameMembers(b.bodies[i], string(s)))
			if b.data {
				o.blame(o.sameData(key))
			}
		}
		switch {
		case b.fate == acknowledged && there < len(b.ids):
			o.blame(fmt.Errorf("lost: %d of %d acknowledged statements of the batch of %s", len(b.ids)-there, len(b.ids), b.ids[0]))
		case b.fate == refused && there > 0:
			o.blame(fmt.Errorf("phantom: %d of %d refused statements", there, len(b.ids)))
		case there > 0 && there < len(b.ids):
			o.blame(fmt.Errorf("partial: %d of %d statements of one batch", there, len(b.ids)))
		}
	}
	for key := range stored {
		o.blame(fmt.Errorf("phantom: nobody sent statement %s", key))
	}
}

// sameMembers says how a stored statement differs from what was sent; what the store adds is not looked at.
func sameMembers(sent, stored string) error {
	for _, p := range []string{"/id", "/actor/account/name", "/verb/id", "/object/id", "/result/extensions", "/timestamp"} {
		want, err := member(sent, p)
		if err != nil {
			return err
		}
		if got, err := member(stored, p); err != nil || string(got) != string(want) {
			return fmt.Errorf("corrupt: %s is %s (%v) and was sent as %s", p, got, err, want)
		}
	}
	return nil
}

// everyone reads all people; their display name is their account's.
func (o *oracle) everyone() {
	found := map[string]int{}
	for after := ""; ; {
		args := []string{"person", "list", "--limit", "1000", "-o", "json"}
		if after != "" {
			args = append(args, "--after", after)
		}
		var page []struct {
			ID         string         `json:"id"`
			Name       string         `json:"name"`
			Attributes map[string]int `json:"attributes"`
		}
		o.must(json.Unmarshal([]byte(o.run(args...)), &page))
		for _, p := range page {
			if _, twice := found[p.Name]; twice {
				o.blame(fmt.Errorf("duplicated: person %s", p.Name))
			}
			found[p.Name], after = p.Attributes["Count"], p.ID
		}
		if len(page) < 1000 {
			break
		}
	}
	for name, r := range o.people {
		o.blame(r.check("person "+name, found[name]))
		delete(found, name)
	}
	for name := range found {
		o.blame(fmt.Errorf("phantom: person %s", name))
	}
}

func (o *oracle) texts() {
	for key, r := range o.documents {
		a := o.ask("GET", statePath(key), o.reader, "")
		got := 0
		if a.status == 200 {
			var err error
			if got, err = strconv.Atoi(pick(o, a.body, "/count")); err != nil || !strings.HasSuffix(a.body, padding(got)+`"}`) {
				o.blame(fmt.Errorf("corrupt: document %s holds %.100q: %v", key, a.body, err))
			}
		} else if a.status != 404 {
			o.blame(fmt.Errorf("document %s answers %d", key, a.status))
		}
		o.blame(r.check("document "+key, got))
	}
}

// doors tries every credential.
func (o *oracle) doors() {
	path := "/xapi/statements?limit=1"
	for _, c := range o.credentials {
		status := o.ask("GET", path, basicAuth(c.user, c.secret), "").status
		switch {
		case c.revocationTried && c.revoke == acknowledged && status == 200:
			o.blame(fmt.Errorf("lost: the revocation of %s", c.user))
		case c.mint == acknowledged && !c.revocationTried && status != 200:
			o.blame(fmt.Errorf("lost: credential %s answers %d", c.user, status))
		case status != 200 && status != 401:
			o.blame(fmt.Errorf("credential %s answers %d", c.user, status))
		}
	}
	for _, header := range o.children {
		if a := o.ask("GET", path, []string{"Authorization: " + header}, ""); a.status != 200 {
			o.blame(fmt.Errorf("lost: the credential of an acknowledged launch answers %d", a.status))
		}
	}
}

func statePath(key string) string {
	return "/xapi/activities/state?activityId=" + url.QueryEscape(killActivity) + "&stateId=" + key + "&agent=" + url.QueryEscape(agentJSON("writer"))
}

// padding makes documents of some size whose end tells their count.
func padding(n int) string { return strings.Repeat(strconv.Itoa(n)+" ", 200) }
