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
// follows the one given, in the order of their bytes. Fault: Forbidden for anybody but a signed-in person.
func (l *Launcher) Courses(ctx context.Context, c access.Caller, after string, limit int) ([]Course, error) {
	if err := signedIn(c); err != nil {
		return nil, err
	}
	list, err := l.content.Available(ctx, c.Org, after, limit)
	if err != nil {
		return nil, err
	}
	courses := make([]Course, len(list))
	for i, item := range list {
		if courses[i], err = l.course(ctx, c, item); err != nil {
			return nil, err
		}
	}
	return courses, nil
}

// Course returns one content as the signed-in caller sees it. Faults: Forbidden, NotFound (activity_unknown).
func (l *Launcher) Course(ctx context.Context, c access.Caller, activity string) (Course, error) {
	if err := signedIn(c); err != nil {
		return Course{}, err
	}
	item, err := l.content.Find(ctx, c.Org, activity)
	if err != nil {
		return Course{}, err
	}
	return l.course(ctx, c, item)
}

func signedIn(c access.Caller) error {
	if c.Kind != access.Person || c.Person.IsZero() {
		return fault.New(fault.Forbidden, "not_signed_in", "Only somebody who is signed in has courses.")
	}
	return nil
}

func (l *Launcher) course(ctx context.Context, c access.Caller, item content.Content) (Course, error) {
	out := Course{Content: item, Progress: NotBegun}
	err := l.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Each(ctx, `SELECT r.id, (SELECT max(s.started) FROM launch_sessions s WHERE s.org_id = r.org_id AND s.registration_id = r.id)
 FROM registrations r WHERE r.org_id = ? AND r.person_id = ? AND r.activity = ? ORDER BY r.created DESC, r.id DESC LIMIT 1`,
			[]any{c.Org, c.Person, item.Activity}, func(r *db.Rows) error { return r.Scan(&out.Registration, &out.Launched) })
	})
	if err != nil || out.Registration.IsZero() {
		return out, err
	}
	out.Progress = Begun
	last, err := l.latest(ctx, c.Org, lrs.Query{Registration: out.Registration})
	if err != nil || last == nil {
		return out, err
	}
	out.Saved = last.Stored
	if err := l.share(ctx, c.Org, &out); err != nil {
		return out, err
	}
	return out, l.judge(ctx, c.Org, &out)
}

// judge reads what the content said of completion and success.
func (l *Launcher) judge(ctx context.Context, org id.OrgID, out *Course) error {
	const verbs = "http://adlnet.gov/expapi/verbs/"
	var at time.Time
	for _, v := range []struct {
		verb string
		is   Progress
	}{{"completed", Completed}, {"passed", Passed}, {"failed", Failed}} {
		st, err := l.latest(ctx, org, lrs.Query{Registration: out.Registration, Activity: out.Activity, Verb: verbs + v.verb})
		if err != nil {
			return err
		}
		if st == nil || v.is != Completed && out.Progress != Begun && out.Progress != Completed && st.Stored.Before(at) {
			continue
		}
		var said struct {
			Result struct {
				Score struct {
					Scaled *float64 `json:"scaled"`
				} `json:"score"`
			} `json:"result"`
		}
		if err := json.Unmarshal(st.JSON, &said); err != nil {
			return err
		}
		out.Progress, at = v.is, st.Stored
		if s := said.Result.Score.Scaled; s != nil {
			out.Score, out.HasScore = *s, true
		}
	}
	return nil
}

// share reads how much is done of a course: what its last statement with the verb progressed says in cmi5's extension
// (cmi5, 9.5.5.1).
func (l *Launcher) share(ctx context.Context, org id.OrgID, out *Course) error {
	const verb, extension = "http://adlnet.gov/expapi/verbs/progressed", "https://w3id.org/xapi/cmi5/result/extensions/progress"
	st, err := l.latest(ctx, org, lrs.Query{Registration: out.Registration, Activity: out.Activity, Verb: verb})
	if err != nil || st == nil {
		return err
	}
	var said struct {
		Result struct {
			Extensions map[string]jsontext.Value `json:"extensions"`
		} `json:"result"`
	}
	if err := json.Unmarshal(st.JSON, &said); err != nil {
		return err
	}
	var n float64
	if v := said.Result.Extensions[extension]; v.Kind() == '0' && json.Unmarshal(v, &n) == nil {
		out.Percent = int(min(max(n, 0), 100))
	}
	return nil
}

// latest is the newest statement that a query finds; nil when there is none.
func (l *Launcher) latest(ctx context.Context, org id.OrgID, q lrs.Query) (*lrs.Statement, error) {
	q.Limit = 1
	page, err := l.Records.Find(ctx, access.Caller{Org: org, Kind: access.System, Name: "progress", Scopes: access.StatementsRead}, q)
	if err != nil || len(page.Statements) == 0 {
		return nil, err
	}
	return &page.Statements[0], nil
}
