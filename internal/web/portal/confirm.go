package portal

import (
	"net/http"
	"strconv"
	"time"

	"rollway/internal/signup"
	"rollway/internal/web"
)

// showConfirm is GET /confirm/{number}/{token}, the address in the mail. It changes nothing: programs that look through mail
// open every link.
func showConfirm(v *visit) error {
	number, token, err := v.validation()
	if err != nil {
		return err
	}
	found, err := v.Signup.Peek(v.r.Context(), number, token, v.addr())
	if err != nil {
		return err
	}
	if found.State != signup.Waiting {
		return v.showConfirmed(signup.Validated{Already: true, Waits: found.State == signup.Approval}, found.TrialEnds)
	}
	return v.show(http.StatusOK, "confirm", &confirmPage{frame: v.frame("confirm.title", ""), Address: found.Address, Action: v.r.URL.EscapedPath()})
}

// postConfirm is POST /confirm/{number}/{token}: the button of that page. It may be pressed again.
func postConfirm(v *visit) error {
	number, token, err := v.validation()
	if err != nil {
		return err
	}
	done, err := v.Signup.Validate(v.r.Context(), number, token, v.addr())
	if err != nil {
		return err
	}
	found, err := v.Signup.Peek(v.r.Context(), number, token, v.addr())
	if err != nil {
		return err
	}
	return v.showConfirmed(done, found.TrialEnds)
}

func (v *visit) validation() (number int64, token string, err error) {
	number, err = strconv.ParseInt(v.r.PathValue("number"), 10, 64)
	if err != nil {
		err = web.NotFound(v.w, v.r)
	}
	return number, v.r.PathValue("token"), err
}

func (v *visit) showConfirmed(done signup.Validated, trialEnds time.Time) error {
	title := "confirmed.title"
	if done.Already {
		title = "confirmed.already"
	}
	p := confirmedPage{frame: v.frame(title, ""), Already: done.Already, Waiting: done.Waits}
	if !trialEnds.IsZero() && !done.Waits {
		p.TrialEnds = v.Day(trialEnds)
	}
	return v.show(http.StatusOK, "confirmed", &p)
}

// showUnsubscribe is GET /unsubscribe/{token}; it changes nothing.
func showUnsubscribe(v *visit) error {
	yes, err := v.Signup.Subscribed(v.r.Context(), v.r.PathValue("token"))
	if err != nil {
		return err
	}
	return v.showNews(!yes)
}

// postUnsubscribe is POST /unsubscribe/{token}: the button of that page, and what mail programs send in one click (RFC 8058).
func postUnsubscribe(v *visit) error {
	if err := v.Signup.Unsubscribe(v.r.Context(), v.r.PathValue("token")); err != nil {
		return err
	}
	return v.showNews(true)
}

func (v *visit) showNews(done bool) error {
	title := "unsubscribe.title"
	if done {
		title = "unsubscribe.done"
	}
	return v.show(http.StatusOK, "unsubscribe", &unsubscribePage{frame: v.frame(title, ""), Action: v.r.URL.EscapedPath(), Done: done})
}
