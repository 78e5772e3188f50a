package lrsapi_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// One log of requests, replayed on each engine, has the same answers: status, headers and bodies, byte for byte but for what
// the server makes up (times of storing, ids of requests and of statements without one, tokens).
func TestEnginesAnswerAlike(t *testing.T) {
	t.Parallel()
	for seed := range uint64(rounds(1, 5)) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			length := rounds(600, 4000)
			if testing.Short() {
				length /= 3
			}
			log := (&scribe{Rand: rand.New(rand.NewPCG(seed, 7))}).log(length)
			answers := map[db.Engine][]string{}
			statuses := map[int]int{}
			for _, e := range dbtest.Engines {
				s := serve(t, dbtest.Open(t, e))
				r := replay{server: s}
				for _, x := range log {
					a, text := r.send(t, x)
					answers[e] = append(answers[e], text)
					statuses[a.status]++
				}
			}
			for i, x := range log {
				if one, two := answers[db.SQLite][i], answers[db.PostgreSQL][i]; one != two {
					t.Errorf("request %d: %s %s\n%s\n%s\nSQLite\n%s\nPostgreSQL\n%s", i, x.method, x.path, x.header, x.body, one, two)
				}
			}
			if statuses[200] < len(log)/4 || statuses[400] < len(log)/20 || statuses[500]+statuses[503] > 0 {
				t.Errorf("the answers are too much alike, or wrong: %v", statuses)
			}
			sum := sha256.Sum256([]byte(strings.Join(answers[db.SQLite], "\n")))
			proof(t, "%d answers of SQLite and PostgreSQL are equal byte for byte (%x; both engines: %v)", len(log), sum[:4], statuses)
		})
	}
}

// replay sends a log to a server. What it holds differs from engine to engine; requests refer to it.
type replay struct {
	server *server
	stored []string // times of storing, in order
	more   string
	etag   string
}

var (
	storedTime = regexp.MustCompile(`"stored":"([^"]+)"`)
	moreLink   = regexp.MustCompile(`"more":"/xapi/([^"]+)"`)
	madeUp     = []struct {
		re *regexp.Regexp
		by string
	}{
		{storedTime, `"stored":"TIME"`},
		{regexp.MustCompile(`"timestamp":"20(?:2[6-9]|[3-9])[^"]+"`), `"timestamp":"TIME"`}, // the log's own are older
		{regexp.MustCompile(`"requestId":"[^"]+"`), `"requestId":"ID"`},
		{regexp.MustCompile(`more=[\w-]+`), "more=TOKEN"},
		{regexp.MustCompile(`(boundary=|--)[A-Z2-7]{52}`), "${1}BOUNDARY"},
		{regexp.MustCompile(`"(person|service-account):[^"]+"`), `"$1:ID"`},
		{regexp.MustCompile(`01[0-9a-f]{6}-[0-9a-f]{4}-7[0-9a-f-]+`), "NEW-ID"},
	}
)

func (r *replay) send(t *testing.T, x exchange) (answer, string) {
	t.Helper()
	for i := range slices.Backward(r.stored) {
		x.path = strings.ReplaceAll(x.path, fmt.Sprintf("$stored%d$", i), q(r.stored[i]))
	}
	x.path = strings.ReplaceAll(x.path, "$more$", r.more)
	x.header = strings.ReplaceAll(x.header, "$etag$", r.etag)
	a := r.server.do(t, x)
	if x.method != "GET" && a.status < 300 {
		time.Sleep(2 * time.Millisecond) // what is stored next has another time
	}
	if found := storedTime.FindStringSubmatch(a.body); found != nil && strings.Contains(x.path, "statementId=") {
		r.stored = append(r.stored, found[1])
	}
	if found := moreLink.FindStringSubmatch(a.body); found != nil {
		r.more = found[1]
	}
	if tag := a.header.Get("ETag"); tag != "" {
		r.etag = tag
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", a.status)
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		value := strings.Join(a.header[name], " | ")
		switch name {
		case "Date", "X-Request-Id", "Content-Length":
			continue
		case "Last-Modified", http.CanonicalHeaderKey(through):
			value = "TIME"
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	text := b.String() + a.body
	for _, m := range madeUp {
		text = m.re.ReplaceAllString(text, m.by)
	}
	return a, text
}

// scribe writes a log of requests.
type scribe struct {
	*rand.Rand
	seen int // statements that were asked for by their id and found, at most
}

func one[T any](s *scribe, of ...T) T { return of[s.IntN(len(of))] }

func (s *scribe) id(n int) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", s.IntN(n))
}

func (s *scribe) agent() string {
	return one(s, ann, bob, `{"objectType":"Agent","name":"C","account":{"homePage":"https://example.com","name":"c ü"}}`, `{"openid":"https://example.com/d"}`,
		`{"mbox_sha1sum":"ebd31e95054c018b10727ccffd2ef2ec3a016ee9"}`, `{"objectType":"Group","mbox":"mailto:team@example.com","member":[`+ann+`]}`, `{"objectType":"Group","mbox":"mailto:crew@example.com"}`)
}

func (s *scribe) activity() string {
	iri := fmt.Sprintf("http://example.com/activities/%d", s.IntN(4))
	if s.IntN(3) > 0 {
		return fmt.Sprintf(`{"id":%q}`, iri)
	}
	return fmt.Sprintf(`{"objectType":"Activity","id":%q,"definition":{"name":{%q:"Näme %d"},"description":{"en":"D"},"type":"http://example.com/type/%d","extensions":{"http://example.com/x":[1.50,{"a":null}]}}}`,
		iri, one(s, "en", "de", "fr-CA"), s.IntN(5), s.IntN(2))
}

func (s *scribe) object() string {
	switch s.IntN(8) {
	case 0:
		return fmt.Sprintf(`{"objectType":"StatementRef","id":%q}`, s.id(60))
	case 1:
		return strings.Replace(one(s, ann, bob), "{", `{"objectType":"Agent",`, 1)
	case 2:
		return fmt.Sprintf(`{"objectType":"SubStatement","actor":%s,"verb":{"id":"http://example.com/planned"},"object":%s}`, s.agent(), s.activity())
	}
	return s.activity()
}

func (s *scribe) registration() string {
	return fmt.Sprintf("00000000-0000-4000-9000-%012d", s.IntN(3))
}

// statement writes a statement, with an id or without; one in ten voids another.
func (s *scribe) statement(sid string) string {
	parts := []string{`"actor":` + s.agent()}
	if sid != "" {
		parts = append(parts, fmt.Sprintf(`"id":%q`, sid))
	}
	if s.IntN(10) == 0 {
		parts = append(parts, `"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"}`, fmt.Sprintf(`"object":{"objectType":"StatementRef","id":%q}`, s.id(60)))
	} else {
		parts = append(parts, fmt.Sprintf(`"verb":{"id":"http://example.com/verbs/%d","display":{"en":"did","de":"tat"}}`, s.IntN(3)), `"object":`+s.object())
	}
	var context []string
	if s.IntN(2) == 0 {
		context = append(context, fmt.Sprintf(`"registration":%q`, s.registration()))
	}
	if s.IntN(4) == 0 {
		context = append(context, `"instructor":`+s.agent())
	}
	if s.IntN(3) == 0 {
		context = append(context, fmt.Sprintf(`"contextActivities":{%q:%s}`, one(s, "parent", "grouping", "category", "other"), one(s, s.activity(), "["+s.activity()+","+s.activity()+"]")))
	}
	if s.IntN(8) == 0 { // of 2.0 alone
		context = append(context, fmt.Sprintf(`"contextAgents":[{"objectType":"contextAgent","agent":%s}],"contextGroups":[{"objectType":"contextGroup","group":{"objectType":"Group","mbox":"mailto:crew@example.com","member":[%s]},"relevantTypes":["http://example.com/type/1"]}]`,
			one(s, ann, bob, `{"openid":"https://example.com/d"}`), one(s, ann, bob)))
	}
	if len(context) > 0 {
		parts = append(parts, `"context":{`+strings.Join(context, ",")+`}`)
	}
	if s.IntN(3) == 0 {
		parts = append(parts, fmt.Sprintf(`"result":{"score":{"scaled":%s},"duration":"PT%dS","response":"é\u0000\n %d"}`, one(s, "0.5", "1.0", "-1", "5e-1"), s.IntN(90), s.IntN(9)))
	}
	parts = append(parts, fmt.Sprintf(`"timestamp":"2015-0%d-02T03:04:05%s"`, 1+s.IntN(9), one(s, "Z", ".123456Z", "+02:00", ".5-0730")))
	s.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return "{" + strings.Join(parts, ",") + "}"
}

// broken changes a byte or leaves some out.
func (s *scribe) broken(text string) string {
	at := s.IntN(len(text))
	switch s.IntN(3) {
	case 0:
		return text[:at]
	case 1:
		return text[:at] + string(rune(' '+s.IntN(90))) + text[at+1:]
	}
	return text[:at] + text[min(len(text), at+1+s.IntN(20)):]
}

func (s *scribe) log(n int) (log []exchange) {
	for len(log) < n {
		x := s.request()
		version := one(s, "1.0.3", "1.0.3", "2.0.0", "1.0.1")
		if !strings.Contains(x.header, "Api-Version") {
			x.header += "\nX-Experience-API-Version: " + version
		}
		if s.IntN(12) == 0 {
			x.header += "\nAuthorization: Test " + one(s, "ann", "nobody", "wrong")
		}
		log = append(log, x)
	}
	return log
}

func (s *scribe) request() exchange {
	switch s.IntN(11) {
	case 10:
		return s.mixed()
	case 0, 1:
		sid := s.id(60)
		return exchange{method: "PUT", path: "statements?statementId=" + sid, body: s.statement(one(s, "", sid, sid))}
	case 2:
		texts := make([]string, 1+s.IntN(6))
		for i := range texts {
			texts[i] = s.statement(one(s, "", s.id(60)))
		}
		return exchange{method: "POST", path: "statements", body: one(s, "["+strings.Join(texts, ",")+"]", texts[0])}
	case 3:
		return exchange{method: "POST", path: "statements", body: s.broken(s.statement(""))}
	case 4:
		s.seen++
		return exchange{method: one(s, "GET", "GET", "HEAD"), path: "statements?" + one(s, "statementId", "statementId", "voidedStatementId") + "=" + s.id(60) + one(s, "", "&format=ids", "&format=canonical", "&attachments=true")}
	case 5, 6, 7:
		return s.query()
	case 8:
		return s.document()
	}
	return s.other()
}

// mixed sends statements with the data of attachments; one in five is not as it should be.
func (s *scribe) mixed() exchange {
	var statements, parts []string
	sent := map[string]bool{}
	for range 1 + s.IntN(3) {
		data := strings.Repeat("dätä\r\n--", s.IntN(4))
		hash := fmt.Sprintf("%x", sha256.Sum256([]byte(data)))
		statements = append(statements, strings.Replace(s.statement(one(s, "", s.id(60))), "{", fmt.Sprintf(`{"attachments":[{"usageType":"http://example.com/usage","display":{"en":"D"},"contentType":"text/plain","length":%d,"sha2":%q}],`, len(data), hash), 1))
		if !sent[hash] {
			sent[hash] = true
			parts = append(parts, "Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: "+hash+"\r\n\r\n"+data)
		}
	}
	all := append([]string{"Content-Type: application/json\r\n\r\n[" + strings.Join(statements, ",") + "]"}, parts...)
	body := "--mixed\r\n" + strings.Join(all, "\r\n--mixed\r\n") + "\r\n--mixed--\r\n"
	if s.IntN(5) == 0 {
		body = s.broken(body)
	}
	return exchange{method: "POST", path: "statements", header: "Content-Type: multipart/mixed; boundary=mixed", body: body}
}

func (s *scribe) query() exchange {
	if s.IntN(6) == 0 {
		return exchange{method: "GET", path: "$more$"}
	}
	var parts []string
	add := func(in int, part string) {
		if s.IntN(in) == 0 {
			parts = append(parts, part)
		}
	}
	add(2, "agent="+q(s.agent()))
	add(3, fmt.Sprintf("verb=http://example.com/verbs/%d", s.IntN(3)))
	add(3, fmt.Sprintf("activity=http://example.com/activities/%d", s.IntN(4)))
	add(4, "registration="+s.registration())
	add(3, "related_agents="+one(s, "true", "false"))
	add(3, "related_activities="+one(s, "true", "false"))
	add(2, "ascending="+one(s, "true", "false"))
	add(2, fmt.Sprintf("limit=%d", s.IntN(8)))
	add(4, "attachments="+one(s, "true", "false"))
	add(3, "format="+one(s, "ids", "exact", "canonical"))
	if s.seen > 20 {
		add(5, fmt.Sprintf("since=$stored%d$", s.IntN(8)))
		add(5, fmt.Sprintf("until=$stored%d$", s.IntN(8)))
	}
	add(25, one(s, "limit=-1", "since=never", "agent={}", "verb=did", "nonsense=1", "registration=7", "ascending=yes", "attachments=maybe"))
	return exchange{method: one(s, "GET", "GET", "GET", "HEAD"), path: "statements?" + strings.Join(parts, "&"), header: "Accept-Language: " + one(s, "de, en;q=0.5", "fr-CA", "*")}
}

func (s *scribe) document() exchange {
	path := one(s, state, state+"&registration="+s.registration(), profile, "activities/profile?activityId=http://example.com/activities/1&profileId=p")
	path += one(s, "", "2")
	x := exchange{method: one(s, "GET", "GET", "PUT", "PUT", "POST", "POST", "DELETE", "HEAD"), path: path, header: one(s, "", "If-Match: $etag$", "If-None-Match: *", "If-None-Match: $etag$")}
	switch {
	case s.IntN(8) == 0: // a list, or all at once
		x.path = path[:strings.LastIndex(path, "&")]
	case x.method == "PUT", x.method == "POST":
		x.body = one(s, `{"a":1}`, `{"b":{"c":[1,2]},"a":"ü"}`, `{}`, `[1]`, `{"z":1e400,"a":1.0}`, "no JSON")
		x.header += "\nContent-Type: " + one(s, "application/json", "application/json", "text/plain", "application/json; charset=utf-8")
	}
	return x
}

func (s *scribe) other() exchange {
	return one(s,
		exchange{method: "GET", path: fmt.Sprintf("activities?activityId=http://example.com/activities/%d", s.IntN(5))},
		exchange{method: "GET", path: "agents?agent=" + q(s.agent())},
		exchange{method: "GET", path: "about"},
		exchange{method: "OPTIONS", path: "statements", header: "Access-Control-Request-Method: PUT"},
		exchange{method: one(s, "DELETE", "PATCH"), path: "statements"},
		exchange{method: "GET", path: "activities"},
		exchange{method: "GET", path: "statements/" + s.id(3)},
		exchange{method: "POST", path: "statements?method=GET", header: form, body: "limit=3&agent=" + q(s.agent())},
		exchange{method: "POST", path: "statements?method=PUT", header: form, body: "statementId=" + s.id(60) + "&content=" + q(s.statement(""))},
	)
}
