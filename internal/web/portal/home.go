package portal

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rollway/internal/access"
	"rollway/internal/launch"
)

// maxCourses is how many courses stand on one page.
const maxCourses = 200

// start is GET /: the courses of whoever is signed in, and for others the way in.
func start(v *visit) error {
	if v.who == nil {
		return v.show(http.StatusOK, "welcome", &welcomePage{frame: v.frame("home.title", ""), Art: scene(), MaySignUp: v.maySignUp()})
	}
	courses, err := v.courses(v.r.Context())
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(v.who.Name, " ")
	p := homePage{frame: v.frame("home.title", "courses"), Name: name, MayAdd: v.who.MayAdd, Art: artOf("")}
	if strings.Contains(name, "@") {
		p.Name = ""
	}
	p.Summary = v.summary(courses)
	for _, c := range courses {
		p.Courses = append(p.Courses, p.card(c))
		if added := v.query.Get("added"); added != "" && added == c.Activity {
			p.Added = c.Title
		}
	}
	return v.show(http.StatusOK, "home", &p)
}

// courses are those of whoever is signed in: first what they are in the middle of, then what is new, then what is done.
func (v *visit) courses(ctx context.Context) ([]launch.Course, error) {
	courses, err := v.Launcher.Courses(ctx, v.caller, "", maxCourses)
	slices.SortStableFunc(courses, func(a, b launch.Course) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), b.Launched.Compare(a.Launched), strings.Compare(a.Title, b.Title))
	})
	return courses, err
}

func rank(c launch.Course) int {
	switch c.Progress {
	case launch.NotBegun:
		return 1
	case launch.Completed, launch.Passed:
		return 2
	}
	return 0
}

// summary says in a sentence what there is to do.
func (v *visit) summary(courses []launch.Course) string {
	var count [3]int
	for _, c := range courses {
		count[rank(c)]++
	}
	key, n := "", 0
	switch {
	case count[0] > 0:
		key, n = "home.begun", count[0]
	case count[1] > 0:
		key, n = "home.new", count[1]
	case count[2] > 0:
		return v.say("home.finished")
	default:
		return v.say("home.none")
	}
	return v.count(key, n)
}

func (f *frame) card(c launch.Course) card {
	out := card{Title: c.Title, Href: launchPath("/launch", c.Activity), Art: artOf(c.Activity), progress: f.progressOf(c)}
	out.Do = f.say([]string{"home.continue", "home.start", "home.review"}[rank(c)])
	return out
}

// launchPath is an address that is about an activity.
func launchPath(path, activity string) string { return path + "?activity=" + url.QueryEscape(activity) }

// progressOf puts into words how far somebody is.
func (f *frame) progressOf(c launch.Course) progress {
	p := progress{Saved: f.at(c.Saved)}
	score := ""
	if c.HasScore {
		score = f.Percent(int(c.Score*100 + .5))
	}
	key := "state." + string(c.Progress)
	switch c.Progress {
	case launch.NotBegun:
		p.State = "new"
	case launch.Begun:
		p.State, score = "begun", ""
		if c.Percent > 0 {
			p.Bar, p.Percent, score = true, c.Percent, f.Percent(c.Percent)
		}
	case launch.Failed:
		p.State = "failed"
	default:
		p.State = "done"
	}
	if score == "" {
		p.Words = f.say(key)
	} else {
		p.Words = f.say(key+".score", "percent", score)
	}
	return p
}

// maySignUp tells whether people make their own account here.
func (v *visit) maySignUp() bool { return !v.Signup.Settings.Off }

// may refuses whoever lacks a right, before a page offers what only the right allows.
func (v *visit) may(s access.Scope) error { return v.caller.Require(s) }
