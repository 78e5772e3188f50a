package launch

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/access"
	"rollway/internal/content"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// Progress is how far a person is with a content, as its own statements about the launched activity say. The last word on
// passing counts, and counts more than completion.
type Progress string

// The steps of progress.
const (
	NotBegun  Progress = "not_begun" // never launched
	Begun     Progress = "begun"
	Completed Progress = "completed"
	Passed    Progress = "passed"
	Failed    Progress = "failed"
)

// Course is a content as one person sees it.
type Course struct {
	content.Content
	Registration id.RegistrationID // the latest; zero for one that was never launched
	Launched     time.Time         // the last time
	Progress     Progress
	Saved        time.Time // when the last statement of the registration was stored; zero when there is none
	Percent      int       // how much is done, as the content said last; 0 to 100
	Score        float64   // of the last result, -1 to 1; valid if HasScore
	HasScore     bool
}

// Courses returns what the caller's organization can launch, as that person sees it: at most limit of those whose activity
// follows the one given, in the order of their bytes. It asks the database no more often for many than for a few. Fault:
// Forbidden for anybody but a signed-in person.
func (l *Launcher) Courses(ctx context.Context, c access.Caller, after string, limit int) ([]Course, error) {
	if err := signedIn(c); err != nil {
		return nil, err
	}
	list, err := l.content.Available(ctx, c.Org, after, limit)
	if err != nil {
		return nil, err
	}
	begun, err := l.begun(ctx, c, "")
	if err != nil {
		return nil, err
	}
	return l.progress(ctx, c, list, begun)
}

// Course returns one content as the signed-in caller sees it. Faults: Forbidden, NotFound (activity_unknown).
func (l *Launcher) Course(ctx context.Context, c access.Caller, activity string) (Course, error) {
	item, begun, err := l.one(ctx, c, activity)
	if err != nil {
		return Course{}, err
	}
	courses, err := l.progress(ctx, c, []content.Content{item}, begun)
	if err != nil {
		return Course{}, err
	}
	return courses[0], nil
}

// Saved returns when the last statement of the signed-in caller's latest registration was stored; zero when there is none.
// Faults as of Course.
func (l *Launcher) Saved(ctx context.Context, c access.Caller, activity string) (time.Time, error) {
	_, begun, err := l.one(ctx, c, activity)
	if err != nil || len(begun) == 0 {
		return time.Time{}, err
	}
	newest, err := l.Records.Newest(ctx, reader(c.Org), []lrs.Trail{begun[activity].Trail})
	if err != nil {
		return time.Time{}, err
	}
	return newest[0].Stored, nil
}

// one is a content and, if the caller began it, their registration.
func (l *Launcher) one(ctx context.Context, c access.Caller, activity string) (item content.Content, begun map[string]trail, err error) {
	if err := signedIn(c); err != nil {
		return item, nil, err
	}
	if item, err = l.content.Find(ctx, c.Org, activity); err != nil {
		return item, nil, err
	}
	begun, err = l.begun(ctx, c, activity)
	return item, begun, err
}

func signedIn(c access.Caller) error {
	if c.Kind != access.Person || c.Person.IsZero() {
		return fault.New(fault.Forbidden, "not_signed_in", "Only somebody who is signed in has courses.")
	}
	return nil
}

// trail is the latest registration of a person for an activity.
type trail struct {
	lrs.Trail
	launched time.Time // the last time
}

// begun returns the latest registrations of the caller by their activities: of the one given, or for "" of all.
func (l *Launcher) begun(ctx context.Context, c access.Caller, activity string) (map[string]trail, error) {
	// The last launch by way of its id, which the index holds: SQLite would else look at all launches there are.
	text := `SELECT r.activity, r.id, r.agent, s.started FROM registrations r
 LEFT JOIN launch_sessions s ON s.org_id = r.org_id AND s.id =
 (SELECT l.id FROM launch_sessions l WHERE l.org_id = r.org_id AND l.registration_id = r.id ORDER BY l.id DESC LIMIT 1)
 WHERE r.org_id = ? AND r.person_id = ?`
	args := []any{c.Org, c.Person}
	if activity != "" {
		text, args = text+" AND r.activity = ?", append(args, activity)
	}
	text += " ORDER BY r.activity, r.created, r.id" // the latest last
	all := map[string]trail{}
	err := l.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Each(ctx, text, args, func(r *db.Rows) error {
			var t trail
			var agent string
			if err := r.Scan(&t.Activity, &t.Registration, &agent, &t.launched); err != nil {
				return err
			}
			who, err := xapi.ParseAgent([]byte(agent))
			t.Agent = who.IFI
			all[t.Activity] = t
			return err
		})
	})
	return all, err
}

// What content says of progress. The first three judge it.
const adl = "http://adlnet.gov/expapi/verbs/"

var progressVerbs = []string{adl + "completed", adl + "passed", adl + "failed", adl + "progressed"}

// reader is who looks for progress.
func reader(org id.OrgID) access.Caller {
	return access.Caller{Org: org, Kind: access.System, Name: "progress", Scopes: access.StatementsRead}
}

// progress puts together what is there and how far the caller is with it.
func (l *Launcher) progress(ctx context.Context, c access.Caller, list []content.Content, begun map[string]trail) ([]Course, error) {
	courses := make([]Course, len(list))
	var trails []lrs.Trail
	var of []*Course
	for i, item := range list {
		courses[i] = Course{Content: item, Progress: NotBegun}
		if t, ok := begun[item.Activity]; ok {
			courses[i].Registration, courses[i].Launched, courses[i].Progress = t.Registration, t.launched, Begun
			trails, of = append(trails, t.Trail), append(of, &courses[i])
		}
	}
	if len(trails) == 0 {
		return courses, nil
	}
	newest, err := l.Records.Newest(ctx, reader(c.Org), trails, progressVerbs...)
	if err != nil {
		return nil, err
	}
	for i, n := range newest {
		if err := of[i].judge(n); err != nil {
			return nil, err
		}
	}
	return courses, nil
}

// judge reads what the content said of completion and success, and of how much is done: what its last statement with the
// verb progressed says in cmi5's extension (cmi5, 9.5.5.1).
func (c *Course) judge(n lrs.Newest) error {
	c.Saved = n.Stored
	completed, passed, failed, progressed := n.Said[0], n.Said[1], n.Said[2], n.Said[3]
	if passed != nil && failed != nil {
		if failed.Stored.Before(passed.Stored) {
			failed = nil
		} else {
			passed = nil
		}
	}
	for _, s := range []struct {
		said *lrs.Statement
		is   Progress
	}{{completed, Completed}, {passed, Passed}, {failed, Failed}} {
		if s.said == nil {
			continue
		}
		r, err := resultOf(s.said)
		if err != nil {
			return err
		}
		c.Progress = s.is
		if r.Score.Scaled != nil {
			c.Score, c.HasScore = *r.Score.Scaled, true
		}
	}
	if progressed == nil {
		return nil
	}
	r, err := resultOf(progressed)
	if err != nil {
		return err
	}
	var share float64
	if v := r.Extensions["https://w3id.org/xapi/cmi5/result/extensions/progress"]; v.Kind() == '0' && json.Unmarshal(v, &share) == nil {
		c.Percent = int(min(max(share, 0), 100))
	}
	return nil
}

// result is what progress takes from a statement's result.
type result struct {
	Score struct {
		Scaled *float64 `json:"scaled"`
	} `json:"score"`
	Extensions map[string]jsontext.Value `json:"extensions"`
}

func resultOf(st *lrs.Statement) (result, error) {
	var said struct {
		Result result `json:"result"`
	}
	err := json.Unmarshal(st.JSON, &said)
	return said.Result, err
}
