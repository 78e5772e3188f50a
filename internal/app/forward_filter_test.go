package app

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"rollway/internal/forward"
	"rollway/internal/id"
	"rollway/xapi"
)

// Each filter, alone or with another, selects what a query with it finds.
func TestForwardFilters(t *testing.T) {
	eachSending(t, func(s *sending) {
		const course, other = "https://example.com/course", "https://example.com/other"
		registration := id.New[id.RegistrationID]()
		named := func(name string) string {
			return fmt.Sprintf(`{"account":{"homePage":%q,"name":%q},"objectType":"Agent"}`, matrixHome, name)
		}
		statement := func(actor, object, context string) string {
			return fmt.Sprintf(`"actor":%s,"verb":{"id":"https://example.com/did"},"object":%s,"context":{%s}`, named(actor), object, context)
		}
		activity := func(iri string) string { return fmt.Sprintf(`{"id":%q}`, iri) }
		names := map[string]string{} // by id
		for _, st := range []struct{ name, text string }{
			{"actor", statement("ann", activity(other), "")},
			{"object", statement("bob", named("ann"), "")},
			{"instructor", statement("bob", activity(course), `"instructor":`+named("ann"))},
			{"parent", statement("bob", activity(other), `"contextActivities":{"parent":[`+activity(course)+`]}`)},
			{"inner", statement("bob", `{"objectType":"SubStatement",`+statement("ann", activity(course), "")+`}`, "")},
			{"attempt", statement("ann", activity(course), fmt.Sprintf(`"registration":%q`, registration))},
		} {
			sid := id.NewRandom[id.StatementID]().String()
			_, err := s.house.Records.Put(s.Context(), s.caller, xapi.V1, id.StatementID{}, []byte(fmt.Sprintf(`{"id":%q,%s}`, sid, st.text)))
			s.must(err)
			names[sid] = st.name
		}
		var mu sync.Mutex
		sent := map[string][]string{} // by the sender's key
		s.spoilBy(func(_ http.ResponseWriter, r *http.Request, posted []string) bool {
			mu.Lock()
			defer mu.Unlock()
			key, _, _ := r.BasicAuth()
			for _, sid := range posted {
				sent[key] = append(sent[key], names[sid])
			}
			return false
		})
		ann := matrixAgent("ann").IFI
		for want, f := range map[string]forward.Filter{
			"actor object attempt":                         {Agent: ann},
			"actor object instructor inner attempt":        {Agent: ann, RelatedAgents: true},
			"instructor attempt":                           {Activity: course},
			"instructor parent inner attempt":              {Activity: course, RelatedActivities: true},
			"attempt":                                      {Registration: registration},
			"instructor inner attempt":                     {Agent: ann, RelatedAgents: true, Activity: course, RelatedActivities: true},
			"actor object instructor parent inner attempt": {Verb: "https://example.com/did"},
		} {
			r := s.request(want)
			r.Filter = f
			s.add(r)
			s.until("all is sent: "+want, func() bool {
				f := s.get(want)
				return f.Waiting.IsZero() && f.Sent >= int64(len(strings.Fields(want)))
			})
			mu.Lock()
			got := strings.Join(sent[r.Username], " ")
			mu.Unlock()
			if got != want {
				s.Errorf("%+v sends %s, want %s", f, got, want)
			}
		}
	})
}
