package portal

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"rollway/internal/challenge"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/signup"
	"rollway/internal/web"
)

// showSignup is GET /signup.
func showSignup(v *visit) error {
	if !v.maySignUp() {
		return fault.New(fault.Forbidden, "signup_off", "Nobody can sign up here at the moment.")
	}
	p := v.signupPage(web.Params{})
	_, p.Email.Value = v.pending()
	if v.r.Method != http.MethodHead { // which shows no picture
		if err := v.pose(p); err != nil {
			return err
		}
	}
	return v.show(http.StatusOK, "signup", p)
}

func (v *visit) signupPage(typed web.Params) *signupPage {
	f := v.frame("signup.title", "")
	p := &signupPage{
		frame: f, Email: f.email(typed.Get("email")), Password: f.newPassword("field.password", v.Signin.Policy.Min),
		AsksNames: !v.NoNames, First: f.name("first", "given-name", typed.Get("first")), Last: f.name("last", "family-name", typed.Get("last")),
		Answer:         field{ID: "answer", Hint: v.say("challenge.hint")},
		AsksNewsletter: !v.NoNewsletter, Newsletter: typed.Has("newsletter"),
		PictureWidth: challenge.Large.Width, PictureHeight: challenge.Large.Height,
	}
	p.Purpose = v.say("signup.own")
	if v.Signup.Settings.Join != 0 {
		p.Purpose = v.say("signup.join")
	}
	return p
}

func (v *visit) addr() netip.Addr { return web.ClientAddr(v.r.Context()) }

// pose puts a new picture onto the page, or none when there were too many.
func (v *visit) pose(p *signupPage) error {
	c, err := v.Challenges.Issue(v.r.Context(), v.asking())
	if fault.Is(err, fault.TooMany) {
		p.Challenge = 0
		return nil
	}
	if err != nil {
		return err
	}
	p.repeat(c.Number)
	return nil
}

func (v *visit) asking() challenge.From { return challenge.From{Org: id.DefaultOrg, Addr: v.addr()} }

// repeat puts a picture onto the page that there is already.
func (p *signupPage) repeat(number int64) {
	p.Challenge, p.Picture, p.Audio = number, picturePath(number), audioPath(number)
}

func picturePath(number int64) string { return "/signup/picture/" + strconv.FormatInt(number, 10) }
func audioPath(number int64) string   { return "/signup/audio/" + strconv.FormatInt(number, 10) }

// postSignup is POST /signup. Its button "New picture" only brings the form back with another one.
func postSignup(v *visit) error {
	typed, err := v.form()
	if err != nil {
		return err
	}
	p := v.signupPage(typed)
	if typed.Get("do") == "picture" {
		if err := v.pose(p); err != nil {
			return err
		}
		return v.show(http.StatusOK, "signup", p)
	}
	number, _ := strconv.ParseInt(typed.Get("challenge"), 10, 64) // what is no number is that of no challenge
	begun, err := v.Signup.Begin(v.r.Context(), signup.Request{
		Via: signup.ByPortal, From: v.addr(), Email: typed.Get("email"), First: typed.Get("first"), Last: typed.Get("last"),
		Password: typed.Get("password"), Newsletter: typed.Has("newsletter"), Lang: v.lang,
		Challenge: number, Answer: typed.Get("answer"), Work: typed.Get("work"),
	})
	if err != nil {
		return v.refuseSignup(p, typed, number, err)
	}
	v.remember(begun.Handle, strings.TrimSpace(typed.Get("email")))
	return v.redirect("/signup/check")
}

// refuseSignup shows the form again: everything typed but the password, and the same picture unless its answer was wrong.
func (v *visit) refuseSignup(p *signupPage, typed web.Params, number int64, err error) error {
	list, status, err := v.complain(err)
	if err != nil {
		return err
	}
	p.Problems, p.Answer.Value = list, typed.Get("answer")
	list.on(&p.Email, &p.First, &p.Last, &p.Password, &p.Answer)
	_, gone := v.Challenges.Get(v.r.Context(), number, challenge.Access{Addr: v.addr()})
	if p.Answer.Error == "" && gone == nil {
		p.repeat(number)
		return v.show(status, "signup", p)
	}
	p.Answer.Value = ""
	if err := v.pose(p); err != nil {
		return err
	}
	return v.show(status, "signup", p)
}

// remember keeps in the browser which sign-up it waits for.
func (v *visit) remember(handle, address string) {
	v.Cookies.Set(v.w, signupCookie, base64.RawURLEncoding.EncodeToString([]byte(address))+"."+handle, v.Signup.Settings.Delay)
}

// pending is the sign-up that the browser waits for, empty for none.
func (v *visit) pending() (handle, address string) {
	encoded, handle, _ := strings.Cut(v.Cookies.Get(v.r, signupCookie), ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || handle == "" {
		return "", ""
	}
	return handle, string(text)
}

// anotherChallenge is POST /signup/challenge: {"challenge":7,"picture":"/signup/picture/7","audio":"/signup/audio/7"}.
func anotherChallenge(v *visit) error {
	c, err := v.Challenges.Issue(v.r.Context(), v.asking())
	if err != nil {
		return err
	}
	web.NoStore(v.w.Header())
	web.WriteJSON(v.w, http.StatusOK, struct {
		Challenge int64  `json:"challenge"`
		Picture   string `json:"picture"`
		Audio     string `json:"audio"`
	}{c.Number, picturePath(c.Number), audioPath(c.Number)})
	return nil
}

// askWork is POST /signup/work: a task in the ALTCHA protocol.
func askWork(v *visit) error {
	task, err := v.Challenges.Work(v.r.Context(), v.asking())
	if err != nil {
		return err
	}
	h := v.w.Header()
	web.NoStore(h)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(task)))
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(task) // an error means that the client has gone
	return nil
}

// picture is GET /signup/picture/{challenge}.
func picture(v *visit) error {
	return v.reveal("image/jpeg", func(number int64, ask challenge.Access) ([]byte, error) {
		return v.Challenges.Picture(v.r.Context(), number, challenge.Large, ask)
	})
}

// audio is GET /signup/audio/{challenge}.
func audio(v *visit) error {
	return v.reveal("audio/wav", func(number int64, ask challenge.Access) ([]byte, error) {
		return v.Challenges.Audio(v.r.Context(), number, v.lang, ask)
	})
}

func (v *visit) reveal(mediaType string, get func(int64, challenge.Access) ([]byte, error)) error {
	number, err := strconv.ParseInt(v.r.PathValue("challenge"), 10, 64)
	if err != nil {
		return web.NotFound(v.w, v.r)
	}
	var file []byte
	ask, head := challenge.Access{Addr: v.addr()}, v.r.Method == http.MethodHead
	if head { // which makes no file, and uses no download up
		_, err = v.Challenges.Get(v.r.Context(), number, ask)
	} else {
		file, err = get(number, ask)
	}
	if err != nil {
		return err
	}
	h := v.w.Header()
	web.SecurityHeaders(h, "default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'") // browsers make a page around a file of its own
	h.Set("Cache-Control", "private, max-age=900")                                                         // so that the form may come back with it
	h.Set("Content-Type", mediaType)
	if head {
		v.w.WriteHeader(http.StatusOK)
		return nil
	}
	http.ServeContent(v.w, v.r, "", time.Time{}, bytes.NewReader(file)) // players ask in pieces
	return nil
}

// resendAfter is how long the page lets people wait before they have the message sent again.
const resendAfter = 30 * time.Second

// showCheck is GET /signup/check.
func showCheck(v *visit) error {
	handle, address := v.pending()
	if handle == "" {
		return v.redirect("/signup")
	}
	return v.show(http.StatusOK, "check", v.checkPage(address))
}

func (v *visit) checkPage(address string) *checkPage {
	f := v.frame("check.title", "")
	p := &checkPage{frame: f, Address: address, Code: f.code(""), SentAgain: v.query.Get("again") == "yes", Wait: int(resendAfter.Seconds())}
	p.Path, p.query = "/signup/check", ""
	return p
}

// postCheck is POST /signup/check, with the digits of the message.
func postCheck(v *visit) error {
	handle, address := v.pending()
	if handle == "" {
		return v.redirect("/signup")
	}
	typed, err := v.form()
	if err != nil {
		return err
	}
	code := strings.Join(strings.Fields(typed.Get("code")), "")
	done, err := v.Signup.ValidateCode(v.r.Context(), handle, code, v.addr())
	if err != nil {
		return v.refuseCheck(address, err)
	}
	v.Cookies.Set(v.w, signupCookie, "", -1)
	return v.showConfirmed(done, false)
}

func (v *visit) refuseCheck(address string, err error) error {
	list, status, err := v.complain(err)
	if err != nil {
		return err
	}
	p := v.checkPage(address)
	p.Problems, p.Wait = list, 0
	list.on(&p.Code)
	return v.show(status, "check", p)
}

// sendAgain is POST /signup/again.
func sendAgain(v *visit) error {
	handle, address := v.pending()
	if handle == "" {
		return v.redirect("/signup")
	}
	if err := v.Signup.Resend(v.r.Context(), handle); err != nil {
		return v.refuseCheck(address, err)
	}
	return v.redirect("/signup/check?again=yes")
}
