package launch

import (
	"fmt"
	"net/url"
	"testing"

	"rollway/internal/access"
	"rollway/internal/blob"
	"rollway/internal/content/sample"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// keepRecords gives the house a store of statements.
func (h *house) keepRecords() {
	h.Helper()
	blobs, err := blob.Open(h.TempDir())
	h.must(err)
	h.launcher.Records, err = lrs.Open(h.Context(), lrs.Config{DB: h.db, Blobs: blobs, HomePage: "http://localhost:8080"})
	h.must(err)
	h.Cleanup(h.launcher.Records.Close)
}

// say launches a content and has it say something of an activity.
func (h *house) say(header, launched, activity, verb, result string) {
	h.Helper()
	l := h.start(header, Request{Activity: launched})
	u, err := url.Parse(l.URL)
	h.must(err)
	text := fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/%s"},"object":{"id":%q},"context":{"registration":%q},"result":{%s}}`, u.Query().Get("actor"), verb, activity, l.Registration, result)
	_, err = h.launcher.Records.Put(h.Context(), h.caller(u.Query().Get("auth")), xapi.V1, id.StatementID{}, []byte(text))
	h.must(err)
}

// Progress is what the launched content said last about passing, else about completion, and nobody else's word.
func TestCourses(t *testing.T) {
	each(t, func(h *house) {
		h.keepRecords()
		ada, header := h.person("ada")
		_, other := h.person("bob")
		session := access.Caller{Org: id.DefaultOrg, Kind: access.Person, Name: "ada", Person: ada.ID}
		course := func() Course {
			h.Helper()
			list, err := h.launcher.Courses(h.Context(), session, "", 10)
			h.must(err)
			if len(list) != 2 || list[0].Activity != link && list[1].Activity != link {
				h.Fatalf("courses %+v", list)
			}
			one, err := h.launcher.Course(h.Context(), session, sample.ActivityID)
			h.must(err)
			if one != list[0] && one != list[1] {
				h.Errorf("%+v is none of %+v", one, list)
			}
			return one
		}
		say := func(who, activity, verb, result string) {
			h.Helper()
			h.say(who, sample.ActivityID, activity, verb, result)
		}
		if c := course(); c.Progress != NotBegun || !c.Registration.IsZero() || c.Title == "" {
			h.Errorf("before anything: %+v", c)
		}
		say(other, sample.ActivityID, "passed", `"score":{"scaled":1}`)
		if c := course(); c.Progress != NotBegun {
			h.Errorf("after somebody else's: %+v", c)
		}
		say(header, sample.ActivityID+"/page", "completed", "")
		if c := course(); c.Progress != Begun || c.Saved.IsZero() || c.Launched.IsZero() || c.HasScore {
			h.Errorf("after a page: %+v", c)
		}
		for said, percent := range map[string]int{"40": 40, "140": 100, "-3": 0, `"half"`: 0, "62.5": 62} {
			say(header, sample.ActivityID, "progressed", `"extensions":{"https://w3id.org/xapi/cmi5/result/extensions/progress":`+said+`}`)
			if c := course(); c.Percent != percent || c.Progress != Begun {
				h.Errorf("after progress %s: %+v", said, c)
			}
		}
		for _, step := range []struct {
			verb, result string
			is           Progress
			score        float64
		}{{"completed", "", Completed, 0}, {"failed", `"score":{"scaled":0.25}`, Failed, 0.25}, {"passed", `"score":{"scaled":0.75}`, Passed, 0.75}, {"completed", "", Passed, 0.75}, {"failed", `"score":{"scaled":0.5}`, Failed, 0.5}} {
			say(header, sample.ActivityID, step.verb, step.result)
			if c := course(); c.Progress != step.is || c.Score != step.score || c.HasScore != (step.score != 0) {
				h.Errorf("after %s: %+v", step.verb, c)
			}
		}
		if at, err := h.launcher.Saved(h.Context(), session, sample.ActivityID); err != nil || !at.Equal(course().Saved) {
			h.Errorf("saved at %v (%v), of the course %v", at, err, course().Saved)
		}
		if at, err := h.launcher.Saved(h.Context(), session, link); err != nil || !at.IsZero() {
			h.Errorf("of what was never launched something was saved at %v, %v", at, err)
		}
		_, err := h.launcher.Courses(h.Context(), h.lms, "", 10)
		h.wants(err, fault.Forbidden, "not_signed_in")
	})
}
