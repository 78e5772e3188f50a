package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/forward"
	"rollway/internal/id"
	"rollway/internal/lrs"
)

// What moves, proves and follows records has no door, but rules all the same: each verb with each kind of caller does nothing
// and tells nothing that they do not allow, and touches no other organization.
func TestRightsMatrixOfVerbs(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		w := newMatrixWorld(t, e)
		r := &verbRun{matrixWorld: w, exports: map[string]string{}}
		r.prepare()
		verbs, callers := r.verbs(), r.callers()
		granted := 0
		for _, c := range callers {
			for _, v := range verbs {
				if r.cell(c, v) {
					granted++
				}
			}
		}
		r.checkForwards()
		r.checkExports()
		if cells := len(callers) * len(verbs); granted < cells/20 || cells < 500 {
			t.Errorf("%d of %d cells were granted", granted, cells)
		} else if !t.Failed() {
			t.Logf("proof: %s: %d verbs, %d callers: nothing unexpected is done, no record of another organization or learner told", t.Name(), len(verbs), len(callers))
		}
	})
}

type verbRun struct {
	*matrixWorld
	exports  map[string]string // by organization, before anything is tried
	forwards map[string]forward.Forward
}

// verbCaller is a caller and what the rules know of them.
type verbCaller struct {
	bearerOf
	is       access.Caller
	operator bool
}

// verb is something that a caller may or may not do.
type verb struct {
	name string
	may  func(c verbCaller) bool
	do   func(c verbCaller) (told string, err error)
	all  bool // it tells of everything in the organization
}

// prepare notes what there is and gives each organization an import and a forward whose names are marks.
func (r *verbRun) prepare() {
	r.forwards = map[string]forward.Forward{}
	for _, org := range []string{"A", "B"} {
		_, err := r.house.Records.Import(r.Context(), r.admin(org), lrs.NewLines(mark{org, "source", "", "", ""}.String(), strings.NewReader("")), lrs.ImportOptions{})
		r.must(err)
		f, err := r.house.Forwards.Add(r.Context(), r.admin(org), r.forwardTo(org, "kept"))
		r.must(err)
		r.forwards[org] = f
		text, err := r.export(verbCaller{is: r.admin(org)})
		r.must(err)
		r.exports[org] = text
	}
}

func (r *verbRun) forwardTo(org, name string) forward.Request {
	return forward.Request{Name: name + " of " + org, Endpoint: "https://lrs.example/" + mark{org, "forward", "", "", ""}.String(), Username: "user", Secret: "a secret"}
}

// callers are those of every credential, and who needs none.
func (r *verbRun) callers() (all []verbCaller) {
	admin := []string{"admin"}
	for _, org := range []string{"A", "B"} {
		p, err := r.house.Directory.PersonOfAgent(r.Context(), r.orgs[org], matrixAgent("ann").IFI)
		r.must(err)
		owner := access.SignedIn(r.orgs[org], p.ID, id.SigninID{}, access.Admin)
		all = append(all,
			verbCaller{bearerOf{name: org + " operator", org: org, scopes: admin}, r.admin(org), true},
			verbCaller{bearerOf{name: org + " owner", org: org, scopes: admin}, owner, false},
			verbCaller{bearerOf{name: org + " somebody signed in", org: org}, access.SignedIn(r.orgs[org], p.ID, id.SigninID{}, 0), false},
			verbCaller{bearerOf{name: org + " of no kind", org: org, bad: "no kind"}, access.Caller{Org: r.orgs[org], Scopes: access.Admin}, false},
		)
	}
	for _, b := range r.bearers {
		c, err := r.house.Credentials.Authenticate(r.Context(), b.header, false)
		if (err == nil) != (b.bad == "") {
			r.Errorf("%s is let in: %v", b.name, err)
		}
		all = append(all, verbCaller{b, c, false}) // one that is refused is nobody
		if b.bad == "" && b.agent != "" {
			c.Scopes = access.Admin
			b.name += " with every right"
			b.scopes = admin
			all = append(all, verbCaller{b, c, false})
		}
	}
	return all
}

func (r *verbRun) verbs() []verb {
	operator := func(c verbCaller) bool { return c.operator }
	everything := func(c verbCaller) bool { return c.bad == "" && c.agent == "" && c.may("all/read") }
	shown := func(c verbCaller) bool { return c.bad == "" && c.may("admin") }
	follows := func(c verbCaller) bool { return c.bad == "" && c.agent == "" && c.may("statements/read") }
	all := []verb{
		{"export", everything, r.export, true},
		{"follow", follows, func(c verbCaller) (string, error) { return r.follow(c, lrs.Query{}) }, false},
		{"follow by agent", follows, func(c verbCaller) (string, error) {
			return r.follow(c, lrs.Query{Agent: matrixAgent("ann").IFI, RelatedAgents: true})
		}, false},
		{"verify", everything, r.verify, false},
		{"verify an export", everything, r.verifyExport, false},
		{"import", operator, r.importing, false},
		{"list imports", operator, func(c verbCaller) (string, error) {
			list, err := r.house.Records.Imports(r.Context(), c.is)
			return fmt.Sprint(list), err
		}, false},
		{"list forwards", shown, func(c verbCaller) (string, error) {
			list, err := r.house.Forwards.List(r.Context(), c.is)
			return fmt.Sprint(list), err
		}, false},
		{"add a forward", operator, r.addForward, false},
	}
	for _, org := range []string{"A", "B"} {
		name := r.forwards[org].Name
		on := func(what string, may func(verbCaller) bool, do func(c access.Caller) (any, error)) {
			all = append(all, verb{what + " the forward of " + org, may, func(c verbCaller) (string, error) {
				told, err := do(c.is)
				if may(c) && c.org != org {
					if !fault.Is(err, fault.NotFound) {
						r.Errorf("%s: %s of another organization: %v", c.name, what, err)
					}
					err = nil
				}
				return fmt.Sprint(told), err
			}, false})
		}
		plain := func(do func(c access.Caller) error) func(access.Caller) (any, error) {
			return func(c access.Caller) (any, error) { return "", do(c) }
		}
		on("show", shown, func(c access.Caller) (any, error) { return r.house.Forwards.Get(r.Context(), c, name) })
		on("refusals of", shown, func(c access.Caller) (any, error) { return r.house.Forwards.Refusals(r.Context(), c, name, 10) })
		on("pause", operator, plain(func(c access.Caller) error { return r.house.Forwards.Pause(r.Context(), c, name) }))
		on("resume", operator, plain(func(c access.Caller) error { return r.house.Forwards.Resume(r.Context(), c, name) }))
		on("retry", operator, plain(func(c access.Caller) error { return r.house.Forwards.Retry(r.Context(), c, name, true) }))
		on("remove", operator, plain(func(c access.Caller) error {
			if err := r.house.Forwards.Remove(r.Context(), c, name); err != nil {
				return err
			}
			_, err := r.house.Forwards.Add(r.Context(), c, r.forwardTo(org, "kept"))
			return err
		}))
	}
	return all
}

// cell has a caller do something and holds what comes of it against the rules.
func (r *verbRun) cell(c verbCaller, v verb) (granted bool) {
	told, err := v.do(c)
	if want := v.may(c); want != (err == nil) || err != nil && !fault.Is(err, fault.Forbidden) {
		r.Errorf("%s as %s: %v", v.name, c.name, err)
	}
	marks := marksIn(told)
	if err != nil && len(marks) > 0 {
		r.Errorf("%s as %s is refused and tells of %v", v.name, c.name, marks)
	}
	var got, want []string
	for _, m := range marks {
		own := m.kind == "source" && c.operator || m.kind == "forward" && c.may("admin") || m.kind == "imported" && c.may("statements/read") || m.kind == "definition"
		if m.org != c.org || !own && !c.sees(m) {
			r.Errorf("%s as %s tells of %v", v.name, c.name, m)
		}
		if slices.Contains(r.seeds, m) || slices.Contains(r.voided, m) {
			got = append(got, m.String())
		}
	}
	if !v.all || err != nil {
		return err == nil
	}
	for _, m := range append(slices.Clone(r.seeds), r.voided...) {
		if m.org == c.org {
			want = append(want, m.String())
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.Errorf("%s as %s tells of %v, want %v", v.name, c.name, got, want)
	}
	return true
}

func (r *verbRun) export(c verbCaller) (string, error) {
	var b strings.Builder
	_, err := r.house.Records.Export(r.Context(), c.is, lrs.Extent{Data: func(a lrs.Attachment) error {
		_, err := a.WriteTo(&b)
		b.WriteByte('\n')
		return err
	}}, func(st lrs.Statement) error {
		b.Write(append(st.JSON, '\n'))
		return nil
	})
	return b.String(), err
}

func (r *verbRun) follow(c verbCaller, q lrs.Query) (string, error) {
	var b strings.Builder
	q.Limit = lrs.MaxLimit
	found, _, err := r.house.Records.After(r.Context(), c.is, q, 0, lrs.End)
	for st, wrong := range r.house.Records.WithEarlier(r.Context(), c.is, q, found) {
		if (wrong == nil) != (err == nil) {
			r.Errorf("following as %s: %v, then %v", c.name, err, wrong)
		}
		b.Write(st.JSON)
	}
	return b.String(), err
}

// statements are those lines of an export that are no data.
func statements(export string) []string {
	return slices.DeleteFunc(strings.Split(export, "\n"), func(line string) bool { return !strings.HasPrefix(line, "{") })
}

func (r *verbRun) verify(c verbCaller) (string, error) {
	v, err := r.house.Records.Verify(r.Context(), c.is, true, func(f lrs.Finding) { r.Errorf("%+v", f) })
	if least := int64(len(statements(r.exports[c.org]))); err == nil && (v.Statements < least || v.Statements > least+2) || err != nil && v.Statements != 0 {
		r.Errorf("verifying as %s: %+v", c.name, v) // what its operators imported came since
	}
	return "", err
}

func (r *verbRun) verifyExport(c verbCaller) (string, error) {
	told := 0
	both := strings.Join(append(statements(r.exports["A"]), statements(r.exports["B"])...), "\n") + "\n"
	v, err := r.house.Records.VerifyExport(r.Context(), c.is, strings.NewReader(both), func(lrs.Finding) { told++ })
	other := map[string]string{"A": "B", "B": "A"}[c.org]
	if want := len(statements(r.exports[other])); err == nil && told != want || err != nil && (told != 0 || v.Statements != 0) {
		r.Errorf("verifying both exports as %s: %d findings, want %d: those of the other organization", c.name, told, want)
	}
	return "", err
}

// importing brings in one statement, which is then in the caller's organization alone, or nowhere.
func (r *verbRun) importing(c verbCaller) (string, error) {
	sid := id.NewRandom[id.StatementID]()
	text := strings.Replace(r.statement(mark{c.org, "imported", "cat", "", c.name}, `{"id":"https://example.com/new"}`), "{", fmt.Sprintf(`{"id":%q,`, sid), 1)
	done, err := r.house.Records.Import(r.Context(), c.is, lrs.NewLines(mark{c.org, "source", "", "", c.name}.String(), strings.NewReader(text+"\n")), lrs.ImportOptions{})
	if err == nil && (done.Stored != 1 || done.Problems != 0) {
		r.Errorf("importing as %s: %+v", c.name, done)
	}
	for org := range r.orgs {
		_, there := r.house.Records.Get(r.Context(), r.admin(org), sid, false)
		if (there == nil) != (err == nil && org == c.org) {
			r.Errorf("what %s imported is in %s: %v", c.name, org, there)
		}
	}
	return "", err
}

func (r *verbRun) addForward(c verbCaller) (string, error) {
	request := r.forwardTo(c.org, "added by "+c.name)
	f, err := r.house.Forwards.Add(r.Context(), c.is, request)
	if err == nil {
		r.must(r.house.Forwards.Remove(r.Context(), r.admin(c.org), f.Name))
	}
	return fmt.Sprint(f), err
}

// checkForwards holds the forwards against those that there were.
func (r *verbRun) checkForwards() {
	for org, was := range r.forwards {
		list, err := r.house.Forwards.List(r.Context(), r.admin(org))
		r.must(err)
		if len(list) != 1 || list[0].Name != was.Name || list[0].Endpoint != was.Endpoint || list[0].Paused {
			r.Errorf("the forwards of %s are %+v", org, list)
		}
	}
}

// checkExports sees to it that nothing was added but what operators imported.
func (r *verbRun) checkExports() {
	for org, was := range r.exports {
		now, err := r.export(verbCaller{is: r.admin(org)})
		r.must(err)
		if !strings.HasPrefix(now, was) || len(statements(now)) != len(statements(was))+1 {
			r.Errorf("%s has %d statements, and had %d", org, len(statements(now)), len(statements(was)))
		}
	}
}
