package portal

import (
	"net/http"
	"net/url"
	"time"

	"rollway/internal/content"
	"rollway/internal/fault"
	"rollway/internal/launch"
	"rollway/internal/web"
)

// showLaunch is GET /launch?activity=…: a course under a bar, or, of one that lives elsewhere, a page that leads there:
// other sites seldom want to stand in a frame. With frame=no it only leads to the course.
func showLaunch(v *visit) error {
	activity := v.query.Get("activity")
	c, err := v.Launcher.Course(v.r.Context(), v.caller, activity)
	if err != nil {
		return err
	}
	if err := v.Content.Ready(v.r.Context(), v.caller.Org, c.Content); err != nil {
		return err
	}
	if v.query.Get("frame") == "no" {
		return v.redirect(launchPath("/launch/open", activity))
	}
	open, leave := launchPath("/launch/open", activity), launchPath("/launch/returned", activity)
	f := v.titled(c.Title, "courses")
	if c.Kind == content.Link {
		u, err := url.Parse(c.URL)
		if err != nil {
			return err
		}
		return v.show(http.StatusOK, "elsewhere", &elsewherePage{frame: f, Host: u.Host, Content: open, Leave: leave})
	}
	p := launchPage{frame: f, Content: open, Check: v.Launcher.CheckURL(c.Content), SavedURL: launchPath("/launch/saved", activity), Leave: leave, SavedText: v.say("launch.unsaved"),
		Again: launchPath("/launch", activity), Alone: launchPath("/launch", activity) + "&frame=no"}
	if !c.Saved.IsZero() {
		p.SavedAt, p.SavedText = c.Saved.Format(time.RFC3339), v.say("home.saved")
	}
	web.SecurityHeaders(v.w.Header(), policy("'self' "+v.Frames)+"; frame-ancestors 'none'")
	return v.show(http.StatusOK, "launch", &p)
}

// openLaunch is GET /launch/open?activity=…: it launches and sends the browser to the course. Only our own pages lead here;
// whoever comes from another site sees our page first. HEAD tells whether there is such a course, and nothing is launched for
// a browser that loads ahead: it comes again when somebody opens it.
func openLaunch(v *visit) error {
	activity := v.query.Get("activity")
	h := v.w.Header()
	web.SecurityHeaders(h, web.StrictPolicy)
	web.NoStore(h)
	switch v.r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return v.redirect(launchPath("/launch", activity))
	}
	switch {
	case v.r.Method == http.MethodHead:
		if _, err := v.Launcher.Course(v.r.Context(), v.caller, activity); err != nil {
			return err
		}
		v.w.WriteHeader(http.StatusOK)
		return nil
	case web.Prefetched(v.r):
		return fault.New(fault.Unavailable, "not_opened_yet", "A course is launched when somebody opens it.")
	}
	l, err := v.Launcher.StartOwn(v.r.Context(), v.caller, launch.Request{Activity: activity})
	if err != nil {
		return err
	}
	h.Set("Location", l.URL)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// saved is GET /launch/saved?activity=…: {"saved":"2026-11-23T14:02:00Z"}, or "" while nothing is.
func saved(v *visit) error {
	at, err := v.Launcher.Saved(v.r.Context(), v.caller, v.query.Get("activity"))
	if err != nil {
		return err
	}
	var answer struct {
		Saved string `json:"saved"`
	}
	if !at.IsZero() {
		answer.Saved = at.Format(time.RFC3339)
	}
	web.NoStore(v.w.Header())
	web.WriteJSON(v.w, http.StatusOK, answer)
	return nil
}

// showReturned is GET /launch/returned?activity=…: what was saved, and what may come next.
func showReturned(v *visit) error {
	c, err := v.Launcher.Course(v.r.Context(), v.caller, v.query.Get("activity"))
	if err != nil {
		return err
	}
	f := v.titled(c.Title, "courses")
	p := returnedPage{frame: f, Heading: v.say("returned.nothing"), Course: c.Title, Again: launchPath("/launch", c.Activity), progress: f.progressOf(c)}
	if !c.Saved.IsZero() {
		p.Heading = v.say("returned.saved")
	}
	courses, err := v.courses(v.r.Context())
	if err != nil {
		return err
	}
	for _, next := range courses {
		if next.Activity != c.Activity && rank(next) < 2 {
			p.Next = &choice{Name: next.Title, Href: launchPath("/launch", next.Activity)}
			break
		}
	}
	return v.show(http.StatusOK, "returned", &p)
}
