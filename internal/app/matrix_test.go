package app

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/content/sample"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/web"
	"rollway/xapi"
)

// bearerOf is one credential of the matrix, and what the rules know of it. An agent has the same identifier in every
// organization.
type bearerOf struct {
	name   string
	header string
	bad    string // why it is refused; empty while it is good
	org    string
	scopes []string
	agent  string // that it is bound to; empty for none
	reg    string // that it was launched for
	launch bool
}

// mark is written into every record of the matrix, so that whoever is told of a record is found out.
type mark struct {
	org, kind, actor, reg, by string
}

func (m mark) String() string {
	return strings.Join([]string{"MARK", m.org, m.kind, m.actor, m.reg, m.by, "KRAM"}, ".")
}

func marksIn(text string) (found []mark) {
	for {
		_, rest, ok := strings.Cut(text, "MARK.")
		if !ok {
			return found
		}
		inside, after, ok := strings.Cut(rest, ".KRAM")
		if f := strings.Split(inside, "."); ok && len(f) == 5 {
			found = append(found, mark{f[0], f[1], f[2], f[3], f[4]})
			rest = after
		}
		text = rest
	}
}

// matrixWorld is a house with two organizations, their people, records and credentials.
type matrixWorld struct {
	*tenant
	orgs    map[string]id.OrgID
	regs    map[string]id.RegistrationID // by name: ORG-PERSON of a launch, or "else"
	ids     map[string]string            // of seeded statements, by mark
	seeds   []mark                       // of statements
	voided  []mark
	kept    map[string]string // path of a seeded record → what an all-powerful caller read there, by organization
	until   string            // no seed was stored after
	bearers []bearerOf
}

const matrixHome = "https://example.com"

func newMatrixWorld(t *testing.T, e db.Engine) *matrixWorld {
	t.Helper()
	h, err := Open(t.Context(), Config{Data: t.TempDir(), DB: dbtest.URL(t, e)})
	w := &matrixWorld{tenant: &tenant{T: t, house: h}, orgs: map[string]id.OrgID{"A": id.DefaultOrg}, regs: map[string]id.RegistrationID{},
		ids: map[string]string{}, kept: map[string]string{}}
	w.must(err)
	b, err := h.Directory.CreateOrganization(t.Context(), access.CommandLine(id.DefaultOrg), "other", "Other")
	w.must(err)
	w.orgs["B"] = b.ID
	w.regs["else"] = id.NewRandom[id.RegistrationID]()
	w.server = httptest.NewServer(web.Guard(web.Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, h.main()))
	t.Cleanup(func() {
		w.server.Close()
		w.must(h.Close())
	})
	for _, org := range []string{"A", "B"} {
		w.enrol(org)
		w.hire(org)
	}
	w.spoil()
	for _, org := range []string{"A", "B"} {
		w.seed(org)
	}
	return w
}

func (w *matrixWorld) admin(org string) access.Caller { return access.CommandLine(w.orgs[org]) }

func matrixAgent(name string) xapi.Agent {
	account, err := xapi.ParseAccount(matrixHome, name)
	if err != nil {
		panic(err)
	}
	return xapi.Agent{IFI: account}
}

func basicOf(username, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+secret))
}

var learnerScopes = []string{"statements/write", "statements/read/mine", "state", "define", "profile"}

// seeded sends a request that makes the world; each must succeed.
func (w *matrixWorld) seeded(org, method, path, body string, headers ...string) reply {
	w.Helper()
	r := w.ask(method, "/xapi/"+path, body, append(headers, "Authorization: "+w.as(org+" account all").header, "X-Experience-API-Version: 1.0.3")...)
	if r.StatusCode >= 300 {
		w.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.text)
	}
	return r
}

// seed fills an organization with records of two learners and of somebody else, each in and out of a launch.
func (w *matrixWorld) seed(org string) {
	for _, actor := range []string{"ann", "bob"} {
		for _, reg := range []string{"", org + "-" + actor, "else"} {
			m := mark{org, "statement", actor, reg, "all"}
			w.ids[m.String()] = id.NewRandom[id.StatementID]().String()
			w.seeded(org, "PUT", "statements?statementId="+w.ids[m.String()], w.mixed(m), mixedType)
			w.seeds = append(w.seeds, m)
			gone := mark{org, "voided", actor, reg, "all"}
			w.ids[gone.String()] = id.NewRandom[id.StatementID]().String()
			w.seeded(org, "PUT", "statements?statementId="+w.ids[gone.String()], w.statement(gone, ""))
			w.seeded(org, "POST", "statements", w.voids(mark{org, "voiding " + actor, "cat", "", "all"}, w.ids[gone.String()]))
			w.voided = append(w.voided, gone)
			w.seeds = append(w.seeds, mark{org, "voiding " + actor, "cat", "", "all"})
		}
	}
	// Somebody else's statements that are found by ann: one points at hers, one is about her.
	w.seeded(org, "POST", "statements", w.statement(mark{org, "pointing", "cat", "", "all"}, `{"objectType":"StatementRef","id":"`+w.ids[mark{org, "statement", "ann", "", "all"}.String()]+`"}`))
	w.seeded(org, "POST", "statements", w.statement(mark{org, "about", "cat", "", "all"}, matrixActor("ann", "Agent")))
	w.seeds = append(w.seeds, mark{org, "pointing", "cat", "", "all"}, mark{org, "about", "cat", "", "all"})
	for _, p := range w.places(org) {
		w.seeded(org, "PUT", p.path, p.mark.String(), "Content-Type: text/plain", "If-None-Match: *")
	}
	time.Sleep(3 * time.Millisecond)
	w.until = xapi.FormatTimestamp(time.Now())
	time.Sleep(3 * time.Millisecond)
	for m, sid := range w.ids {
		if strings.HasPrefix(m, "MARK."+org) {
			name := "statementId"
			if strings.Contains(m, ".voided.") {
				name = "voidedStatementId"
			}
			w.keep(org, "statements?"+name+"="+sid)
		}
	}
	for _, p := range w.places(org) {
		w.keep(org, p.path)
	}
}

func (w *matrixWorld) keep(org, path string) {
	w.kept[org+" "+path] = w.seeded(org, "GET", path, "").text
}

// place is a document's.
type place struct {
	path string
	mark mark
}

const bulkActivity = sample.ActivityID + "/bulk"

// places are an organization's seeded documents, whose ids are their marks.
func (w *matrixWorld) places(org string) (all []place) {
	add := func(m mark, path string) { all = append(all, place{path + "=" + m.String(), m}) }
	for _, actor := range []string{"ann", "bob"} {
		for _, reg := range []string{"", org + "-" + actor, "else"} {
			for activity, kind := range map[string]string{sample.ActivityID: "state", bulkActivity: "bulk"} {
				add(mark{org, kind, actor, reg, ""}, w.statePath(activity, actor, reg)+"&stateId")
			}
		}
		add(mark{org, "agentprofile", actor, "", ""}, "agents/profile?agent="+escape(matrixActor(actor, ""))+"&profileId")
	}
	for activity, kind := range map[string]string{sample.ActivityID: "inprofile", sample.ActivityID + "/part": "inprofile", matrixHome + "/elsewhere": "outprofile"} {
		add(mark{org, kind, "", "", ""}, "activities/profile?activityId="+escape(activity)+"&profileId")
	}
	return all
}

func (w *matrixWorld) statePath(activity, actor, reg string) string {
	path := "activities/state?activityId=" + escape(activity) + "&agent=" + escape(matrixActor(actor, ""))
	if reg != "" {
		path += "&registration=" + w.regs[reg].String()
	}
	return path
}

func matrixActor(name, kind string) string {
	if kind != "" {
		kind = `"objectType":"` + kind + `",`
	}
	return fmt.Sprintf(`{%s"account":{"homePage":%q,"name":%q}}`, kind, matrixHome, name)
}

// statement says who did something, and carries its mark; without an object it is about the course, which it describes.
func (w *matrixWorld) statement(m mark, object string) string {
	if object == "" {
		object = fmt.Sprintf(`{"id":%q,"definition":{"name":{"en":%q}}}`, sample.ActivityID, mark{m.org, "definition", "", "", ""})
	}
	context := ""
	if m.reg != "" {
		context = fmt.Sprintf(`,"context":{"registration":%q}`, w.regs[m.reg])
	}
	return fmt.Sprintf(`{"actor":%s,"verb":{"id":"https://example.com/did"},"object":%s,"result":{"response":%q}%s}`, matrixActor(m.actor, ""), object, m, context)
}

func (w *matrixWorld) voids(m mark, target string) string {
	return fmt.Sprintf(`{"actor":%s,"verb":{"id":%q},"object":{"objectType":"StatementRef","id":%q},"result":{"response":%q}}`, matrixActor(m.actor, ""), xapi.VerbVoided, target, m)
}

const mixedType = "Content-Type: multipart/mixed; boundary=matrix"

// attached is a statement with an attachment whose data does not come with it: sha2 is that of the data of a mark.
func (w *matrixWorld) attached(m, data mark, more string) string {
	data.kind = "data"
	text := data.String()
	return strings.Replace(w.statement(m, ""), "{", fmt.Sprintf(`{"attachments":[{"usageType":"https://example.com/usage","display":{"en":"Data"},"contentType":"text/plain","length":%d,"sha2":"%x"%s}],`,
		len(text), sha256.Sum256([]byte(text)), more), 1)
}

// mixed is a statement with the data of an attachment, which is a mark.
func (w *matrixWorld) mixed(m mark) string {
	data := m
	data.kind = "data"
	text := data.String()
	return fmt.Sprintf("--matrix\r\nContent-Type: application/json\r\n\r\n%s\r\n--matrix\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: %x\r\n\r\n%s\r\n--matrix--\r\n",
		w.attached(m, m, ""), sha256.Sum256([]byte(text)), text)
}
