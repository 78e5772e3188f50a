package glpi

import (
	"math"
	"net/http"
	"strings"
	"time"

	"rollway/internal/challenge"
	"rollway/internal/fault"
	"rollway/internal/signup"
	"rollway/internal/web"
)

// addCaptcha is POST PluginFlyvemdmdemoCaptcha. What the input says does not matter.
func (d *Door) addCaptcha(a *ask, _ map[string]any) (int64, error) {
	from := challenge.From{Org: a.from.service.Org, Token: a.from.service.Token.String(), Addr: web.ClientAddr(a.Context())}
	c, err := d.Challenges.Issue(a.Context(), from)
	if fault.Is(err, fault.TooMany) {
		return 0, refuse(http.StatusBadRequest, opAdd.code(), words["too_many_challenges"]).because(err)
	}
	return c.Number, err
}

// captcha is GET PluginFlyvemdmdemoCaptcha/:id: its picture, or when it was made. Without a session it is shown to the
// address that made it.
func (d *Door) captcha(a *ask, number int64) (answer, error) {
	if a.from.token != "" && a.from.service == nil {
		return answer{}, errRight()
	}
	who := challenge.Access{Addr: web.ClientAddr(a.Context())}
	if a.from.service != nil {
		who.Anywhere, who.Token = true, a.from.service.Token.String()
	}
	c, err := d.Challenges.Get(a.Context(), number, who)
	if err != nil {
		return answer{}, err
	}
	if !a.wantsPicture() {
		return answer{body: item{"id": number, "date_creation": stamp(c.Created)}}, nil
	}
	out := answer{media: "image/jpeg", header: map[string]string{"Content-Transfer-Encoding": "binary"}}
	if a.Method != http.MethodHead { // which draws nothing, and uses no download up
		out.raw, err = d.Challenges.Picture(a.Context(), number, challenge.Small, who)
	}
	return out, err
}

// wantsPicture follows the guide, its plugin and its dashboards, each of which asks in another way.
func (a *ask) wantsPicture() bool {
	if a.text("alt") == "media" || strings.HasPrefix(strings.ToLower(a.Header.Get("Content-Type")), "application/octet-stream") {
		return true
	}
	accept := strings.ToLower(strings.Join(a.Header.Values("Accept"), ","))
	return strings.Contains(accept, "application/octet-stream") || strings.Contains(accept, "image/")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// signUp is POST PluginFlyvemdmdemoUser. Of the input it reads what the guide names, and nothing else.
func (d *Door) signUp(a *ask, input map[string]any) (int64, error) {
	s := signup.Request{Via: signup.ByGLPI, Token: a.from.service.Token, From: web.ClientAddr(a.Context()), Lang: a.language(), Lenient: d.Config.Lenient}
	for _, f := range []struct {
		name string
		to   *string
	}{{"name", &s.Email}, {"firstname", &s.First}, {"realname", &s.Last}, {"password", &s.Password}} {
		text, isText := input[f.name].(string)
		if !isText && input[f.name] != nil { // a number would not be what was typed
			return 0, fault.New(fault.Invalid, "not_text", "%s must be text", f.name)
		}
		*f.to = text
	}
	if again, isText := input["password2"].(string); !isText && input["password2"] != nil || again != s.Password {
		return 0, fault.New(fault.Invalid, "passwords_differ", "Passwords are different")
	}
	v, there := input["_newsletter"]
	s.Newsletter = there && v != nil && v != false && v != "0" && v != float64(0) // of text, only "0" says no
	s.Answer = textOf(input["_answer"])
	if v := input["_plugin_flyvemdmdemo_captchas_id"]; v != nil {
		var ok bool
		if s.Challenge, ok = numberOf(v); !ok {
			s.Challenge = math.MaxInt64 // which nobody has
		}
	}
	begun, err := d.Signup.Begin(a.Context(), s)
	return begun.Person, err
}

// validate is PUT PluginFlyvemdmdemoAccountvalidation: it reads _validate and changes nothing else, whatever the input says.
func (d *Door) validate(a *ask, number int64, input map[string]any) error {
	v := input["_validate"]
	if !given(v) {
		return fault.New(fault.Invalid, "validation_missing", "Validation token missing")
	}
	token, ok := v.(string)
	if !ok {
		return fault.New(fault.Invalid, "validation_invalid", "Validation token is invalid")
	}
	done, err := d.Signup.Validate(a.Context(), number, token, web.ClientAddr(a.Context()))
	if err == nil && done.Already {
		err = fault.New(fault.Invalid, "validation_invalid", "Validation token is invalid")
	}
	return err
}

// plugins tells dashboards that people may sign up here: they look for exactly this before they show their link.
func (d *Door) plugins(_ *ask, s span) ([]item, int, error) {
	if d.Signup.Settings.Off {
		return nil, 0, nil
	}
	return s.of([]item{pluginItem()}), 1, nil
}

func (d *Door) plugin(_ *ask, number int64) (answer, error) {
	if number != 1 || d.Signup.Settings.Off {
		return answer{}, errNoItem()
	}
	return answer{body: pluginItem()}, nil
}

func pluginItem() item {
	return item{"id": 1, "directory": "flyvemdmdemo", "name": "Flyve MDM Demo", "version": "1.0.0", "state": 1}
}
