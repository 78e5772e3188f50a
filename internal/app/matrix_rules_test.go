package app

import (
	"net/http"
	"slices"
	"strings"

	"rollway/internal/content/sample"
	"rollway/internal/id"
)

// wider are the scopes that come with another (Communication 4.2 of xAPI 1.0.3; admin is everything).
var wider = map[string][]string{
	"statements/read": {"statements/read/mine"},
	"all/read":        {"statements/read", "statements/read/mine"},
	"all":             {"statements/write", "statements/read/mine", "statements/read", "state", "define", "profile", "all/read"},
	"admin":           {"all", "statements/write", "statements/read/mine", "statements/read", "state", "define", "profile", "all/read", "people:read"},
}

func (b bearerOf) may(any ...string) bool {
	for _, have := range b.scopes {
		if slices.Contains(any, have) || slices.ContainsFunc(wider[have], func(s string) bool { return slices.Contains(any, s) }) {
			return true
		}
	}
	return false
}

// own tells whether a bound credential may touch what is of an actor and a registration; one that is not bound may.
func (b bearerOf) own(actor, reg string) bool {
	return b.agent == "" || actor == b.agent && (reg == "" || b.reg == "" || reg == b.reg)
}

// sees is what a credential may be told of: the law of the matrix.
func (b bearerOf) sees(m mark) bool {
	if b.bad != "" || m.org != b.org {
		return false
	}
	switch m.kind {
	case "statement", "data", "pointing", "about", "voiding ann", "voiding bob", "voided":
		if b.agent == "" && !b.may("statements/read") {
			return b.may("statements/read/mine") && m.by == b.name
		}
		return b.may("statements/read/mine") && b.own(m.actor, m.reg)
	case "state", "bulk":
		return b.may("state", "all/read") && b.own(m.actor, m.reg)
	case "agentprofile":
		return b.may("profile", "all/read") && b.own(m.actor, "")
	case "inprofile":
		return b.may("profile", "all/read")
	case "outprofile": // of an activity that the learner did not launch
		return b.may("profile", "all/read") && !b.launch
	case "definition":
		return b.may("statements/read/mine", "state", "profile", "define")
	case "name":
		return b.own(m.actor, "") && (b.agent != "" || b.may("people:read", "profile", "all/read"))
	}
	return false
}

// operation is one request of the matrix and its rule.
type operation struct {
	name, method, path, body string
	header                   string // "Name: value", at most one
	// want is the status for a credential that is good; 0 leaves the cell out, since the request would spoil a seed.
	want func(b bearerOf) int
	// told, for a query: the seeds it asks for. The answer names all of these that the credential may see.
	told  func(m mark) bool
	data  bool   // the answer holds the data of attachments too
	plain bool   // the request is not said as a form
	of    []mark // what told chooses from
	open  int    // the answer to everybody, whoever they are
	fresh func(b bearerOf, o *operation)
}

func always(status int) func(bearerOf) int { return func(bearerOf) int { return status } }

func when(may func(b bearerOf) bool, status int) func(bearerOf) int {
	return func(b bearerOf) int {
		if !may(b) {
			return http.StatusForbidden
		}
		return status
	}
}

func (w *matrixWorld) operations() (all []operation) {
	all = append(all, w.statementReads()...)
	all = append(all, w.statementWrites()...)
	all = append(all, w.documentOperations()...)
	add := func(o operation) { all = append(all, o) }
	reads := func(b bearerOf) bool { return b.may("statements/read/mine", "state", "profile", "define") }
	add(operation{name: "activity", method: "GET", path: "activities?activityId=" + escape(sample.ActivityID), want: when(reads, 200)})
	for _, who := range []string{"ann", "bob", "sue", "stranger"} {
		add(operation{name: "person " + who, method: "GET", path: "agents?agent=" + escape(matrixActor(who, "")), want: always(200)})
	}
	add(operation{name: "about", method: "GET", path: "about", open: 200})
	add(operation{name: "nothing", method: "GET", path: "nothing", open: 404})
	methods := map[string]string{"statements": "GET PUT POST", "activities/state": "GET PUT POST DELETE", "activities/profile": "GET PUT POST DELETE",
		"agents/profile": "GET PUT POST DELETE", "agents": "GET", "activities": "GET", "about": "GET"}
	for path, takes := range methods {
		add(operation{name: "preflight of " + path, method: "OPTIONS", path: path, open: 204})
		for _, method := range []string{"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE"} {
			if !strings.Contains(takes, method) {
				add(operation{name: method + " of " + path, method: method, path: path, open: 405})
			}
		}
	}
	return all
}

func (w *matrixWorld) statementReads() (all []operation) {
	reads := func(b bearerOf) bool { return b.may("statements/read/mine") }
	add := func(name, query string, told func(m mark) bool) {
		for _, more := range []string{"", "&ascending=true", "&format=ids", "&format=canonical", "&attachments=true"} {
			o := operation{name: name + more, method: "GET", path: "statements?until=" + escape(w.until) + query + more, want: when(reads, 200), told: told, of: w.seeds, data: strings.Contains(more, "attachments=true")}
			if more == "&format=ids" {
				o.told = nil // marks are in results, which stay, and in names, which go
			}
			all = append(all, o)
		}
	}
	anns := func(m mark) bool {
		return m.actor == "ann" || m.kind == "pointing" || m.kind == "about" || m.kind == "voiding ann"
	}
	add("all", "&limit=0", func(mark) bool { return true })
	add("all, small pages", "&limit=1", nil)
	add("agent ann", "&agent="+escape(matrixActor("ann", "")), anns)
	add("related agent ann", "&related_agents=true&agent="+escape(matrixActor("ann", "")), anns)
	add("agent bob", "&agent="+escape(matrixActor("bob", "")), func(m mark) bool { return m.actor == "bob" || m.kind == "voiding bob" })
	add("agent cat", "&agent="+escape(matrixActor("cat", "")), func(m mark) bool { return m.actor == "cat" })
	add("verb", "&verb="+escape("https://example.com/did"), nil)
	add("activity", "&activity="+escape(sample.ActivityID), nil)
	add("related activity", "&related_activities=true&activity="+escape(sample.ActivityID), nil)
	for _, reg := range []string{"A-ann", "A-bob", "B-ann", "B-bob", "else"} {
		add("registration "+reg, "&registration="+w.regs[reg].String(), nil)
	}
	add("since before all", "&since=2000-01-01T00:00:00Z", func(mark) bool { return true })
	byID := func(m mark, parameter, other string) {
		path := "?" + parameter + "=" + w.ids[m.String()]
		for _, more := range []string{"", "&format=canonical", "&attachments=false", "&attachments=true"} {
			all = append(all, operation{name: "by id " + m.String() + more, method: "GET", path: "statements" + path + more, want: when(reads, 200), told: func(of mark) bool { return of == m }, of: []mark{m}, data: strings.Contains(more, "attachments=true")})
			all[len(all)-1].want = func(b bearerOf) int {
				switch {
				case !reads(b):
					return 403
				case !b.sees(m):
					return 404
				}
				return 200
			}
		}
		all = append(all, operation{name: "by the wrong id " + m.String(), method: "GET", path: "statements?" + other + "=" + w.ids[m.String()], want: when(reads, 404)})
	}
	for _, m := range w.seeds {
		if m.kind == "statement" {
			byID(m, "statementId", "voidedStatementId")
		}
	}
	for _, m := range w.voided {
		byID(m, "voidedStatementId", "statementId")
	}
	return all
}

func (w *matrixWorld) statementWrites() (all []operation) {
	for _, actor := range []string{"ann", "bob", "cat"} {
		for _, reg := range []string{"", "A-ann", "B-ann", "A-bob", "else"} {
			may := func(b bearerOf) bool { return b.may("statements/write") && b.own(actor, reg) }
			text := func(b bearerOf) string {
				return w.statement(mark{b.org, "statement", actor, reg, b.name}, `{"id":"https://example.com/new"}`)
			}
			all = append(all,
				operation{name: "put for " + actor + " " + reg, method: "PUT", want: when(may, 204), fresh: func(b bearerOf, o *operation) {
					o.path, o.body = "statements?statementId="+id.NewRandom[id.StatementID]().String(), text(b)
				}},
				operation{name: "post for " + actor + " " + reg, method: "POST", path: "statements", want: when(may, 200), fresh: func(b bearerOf, o *operation) { o.body = text(b) }},
				operation{name: "batch with one for " + actor + " " + reg, method: "POST", path: "statements", fresh: func(b bearerOf, o *operation) {
					o.body = "[" + w.statement(mark{b.org, "statement", "ann", "", b.name}, `{"id":"https://example.com/new"}`) + "," + text(b) + "]"
				}, want: when(func(b bearerOf) bool { return may(b) && b.own("ann", "") }, 200)})
		}
	}
	all = append(all, w.attachmentWrites()...)
	voids := func(b bearerOf) bool { return b.may("all") }
	for _, m := range w.seeds {
		if m.kind == "statement" {
			all = append(all, operation{name: "void " + m.String(), method: "POST", path: "statements", body: w.voids(mark{}, w.ids[m.String()]), want: func(b bearerOf) int {
				if voids(b) && b.org == m.org {
					return 0
				}
				return when(voids, 200)(b)
			}, fresh: func(b bearerOf, o *operation) {
				o.body = w.voids(mark{b.org, "voiding ann", "ann", "", b.name}, w.ids[m.String()])
			}})
			all = append(all, operation{name: "overwrite " + m.String(), method: "PUT", path: "statements?statementId=" + w.ids[m.String()], want: func(b bearerOf) int {
				switch {
				case !b.may("statements/write") || !b.own("ann", ""):
					return 403
				case b.org == m.org:
					return 409
				}
				return 0 // another organization may use the id for itself, but only once
			}, fresh: func(b bearerOf, o *operation) {
				o.body = w.statement(mark{b.org, "statement", "ann", "", b.name}, `{"id":"https://example.com/over"}`)
			}})
		}
	}
	return all
}

// attachmentWrites send data, and try to come by that of others by naming its hash; what they store is then read by all.
func (w *matrixWorld) attachmentWrites() (all []operation) {
	for _, actor := range []string{"ann", "bob"} {
		may := func(b bearerOf) bool { return b.may("statements/write") && b.own(actor, "") }
		own := func(b bearerOf) mark { return mark{b.org, "statement", actor, "", b.name} }
		all = append(all, operation{name: "data for " + actor, method: "POST", path: "statements", header: mixedType, plain: true, want: when(may, 200), fresh: func(b bearerOf, o *operation) { o.body = w.mixed(own(b)) }})
		for _, m := range w.seeds {
			if m.kind == "statement" {
				all = append(all,
					operation{name: "name the data of " + m.String(), method: "POST", path: "statements", want: when(may, 400), fresh: func(b bearerOf, o *operation) { o.body = w.attached(own(b), m, "") }},
					operation{name: "link the data of " + m.String(), method: "POST", path: "statements", want: when(may, 200), fresh: func(b bearerOf, o *operation) {
						o.body = w.attached(own(b), m, `,"fileUrl":"https://example.com/f"`)
					}})
			}
		}
	}
	all = append(all, operation{name: "all with data", method: "GET", path: "statements?attachments=true&limit=0", want: when(func(b bearerOf) bool { return b.may("statements/read/mine") }, 200)})
	return all
}

func (w *matrixWorld) documentOperations() (all []operation) {
	// Each seeded document is read by everybody, and changed where that must be refused.
	for _, org := range []string{"A", "B"} {
		for _, p := range w.places(org) {
			scope := map[string]string{"state": "state", "bulk": "state"}[p.mark.kind]
			if scope == "" {
				scope = "profile"
			}
			here := func(m mark, b bearerOf) mark { m.org = b.org; return m } // the same place in the caller's organization
			all = append(all, operation{name: "get " + p.mark.String(), method: "GET", path: p.path, told: func(mark) bool { return true }, of: []mark{p.mark}, want: func(b bearerOf) int {
				switch {
				case !b.sees(here(p.mark, b)):
					return 403
				case b.org != p.mark.org:
					return 404
				}
				return 200
			}})
			writes := func(b bearerOf) bool {
				return b.may(scope) && b.sees(here(p.mark, b)) && (scope == "state" || p.mark.kind == "agentprofile" || b.agent == "" || b.launch)
			}
			for _, method := range []string{"PUT", "POST", "DELETE"} {
				o := operation{name: method + " " + p.mark.String(), method: method, path: p.path, header: "Content-Type: application/json", want: func(b bearerOf) int {
					if writes(b) {
						return 0
					}
					return 403
				}}
				fresh := operation{name: method + " beside " + p.mark.String(), method: method, header: "If-None-Match: *", want: when(writes, 204), fresh: func(b bearerOf, o *operation) {
					before, _, _ := strings.Cut(p.path, "=MARK")
					o.path = before + "=" + id.NewRandom[id.StatementID]().String()
				}}
				if method != "DELETE" {
					o.body, fresh.body = `{"spoilt":true}`, `{"new":1}`
				}
				all = append(all, o, fresh)
			}
			all = append(all, w.documentList(p))
			if scope == "state" {
				place, _, _ := strings.Cut(p.path, "&stateId=")
				all = append(all, operation{name: "delete all " + p.mark.String(), method: "DELETE", path: place, want: func(b bearerOf) int {
					if writes(b) {
						return 0
					}
					return 403
				}})
			}
		}
	}
	return all
}

// documentList lists the documents beside one: without a registration those of all that the caller may reach.
func (w *matrixWorld) documentList(p place) operation {
	before, _, _ := strings.Cut(p.path, "=MARK")
	path := before[:strings.LastIndexAny(before, "&?")]
	var of []mark
	for _, org := range []string{"A", "B"} {
		for _, other := range w.places(org) {
			same := strings.HasPrefix(other.path, path+"&")
			if p.mark.kind == "inprofile" || p.mark.kind == "outprofile" {
				same = strings.HasPrefix(other.path, path+"&profileId=") // an activity whose address continues this one is another
			}
			if same {
				of = append(of, other.mark)
			}
		}
	}
	return operation{name: "list beside " + p.mark.String(), method: "GET", path: path, of: of, told: func(mark) bool { return true }, want: func(b bearerOf) int {
		m := p.mark
		m.org = b.org
		if !b.sees(m) {
			return 403
		}
		return 200
	}}
}
