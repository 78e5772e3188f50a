package glpi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/mail"
	"rollway/internal/signin"
	"rollway/internal/signup"
	"rollway/internal/web"
)

// session is on whose behalf a request is made: of a service token or of a person. The zero value is nobody's.
type session struct {
	token   string
	service *signup.TokenSession
	caller  access.Caller // of a person
	id      id.SigninID
}

// session finds the session that a request names.
func (d *Door) session(a *ask) (session, error) {
	token := a.text("session_token")
	if token == "" {
		return session{}, refuse(http.StatusBadRequest, codeSessionMissing, "parameter session_token is missing or empty")
	}
	s, err := d.open(a.Context(), token)
	switch {
	case fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Forbidden):
		return session{}, refuse(http.StatusUnauthorized, codeSessionInvalid, textSession).because(err)
	case err != nil:
		return session{}, err
	}
	if s.service != nil {
		web.NoteCaller(a.Request, access.Caller{Name: "service token " + s.service.Name})
	} else {
		web.NoteCaller(a.Request, s.caller)
	}
	return s, nil
}

// open finds a session of either kind. Faults: Unauthenticated, Forbidden.
func (d *Door) open(ctx context.Context, token string) (session, error) {
	service, err := d.Signup.Session(ctx, token)
	if err == nil {
		return session{token: token, service: &service}, nil
	}
	if !fault.Is(err, fault.Unauthenticated) {
		return session{}, err
	}
	caller, of, err := d.Signin.Authenticate(ctx, token)
	if err == nil && of.Kind != signin.Dialect { // what a browser keeps as a cookie opens nothing here
		err = fault.New(fault.Unauthenticated, "session_invalid", "This is a session of another kind.")
	}
	return session{token: token, caller: caller, id: of.ID}, err
}

// initSession opens a session with a user_token, which is a service token, or with a person's login and password. Any verb
// will do.
func (d *Door) initSession(a *ask) (answer, error) {
	token, err := d.begin(a)
	if err != nil {
		return answer{}, err
	}
	out := map[string]any{"session_token": token}
	if given(a.values["get_full_session"]) {
		if a.from, err = d.open(a.Context(), token); err != nil {
			return answer{}, err
		}
		if out["session"], err = d.described(a); err != nil {
			return answer{}, err
		}
	}
	return answer{body: out}, nil
}

func (d *Door) begin(a *ask) (token string, err error) {
	userToken, login, password := a.text("user_token"), a.text("login"), a.text("password")
	switch {
	case userToken != "":
		token, err = d.Signup.OpenSession(a.Context(), userToken, a.Header.Get("Origin"), web.ClientAddr(a.Context()))
		elsewhere := slices.ContainsFunc(fault.Of(err).Fields, func(f fault.Field) bool { return f.Name == "Origin" })
		switch {
		case err != nil && elsewhere:
			return "", refuse(http.StatusBadRequest, codeNotAllowedIP, "This user_token is not for pages of "+a.Header.Get("Origin")).because(err)
		case fault.Is(err, fault.Unauthenticated):
			return "", refuse(http.StatusUnauthorized, codeUserToken, "parameter user_token seems invalid").because(err)
		}
	case login == "" || password == "":
		return "", refuse(http.StatusBadRequest, codeLoginMissing, "parameter(s) login, password or user_token are missing")
	case d.Config.NoPasswords:
		return "", refuse(http.StatusBadRequest, codeLoginDisabled, "usage of initSession resource with credentials is disabled")
	default:
		_, token, err = d.Signin.SignIn(a.Context(), signin.Dialect, login, password, a.device())
	}
	if err != nil {
		f := refusalOf(opLogin, err)
		if fault.Of(err).Code == "not_validated" && d.Signup.Settings.Approval { // they may have followed it
			f.text = words["not_approved"]
		}
		return "", f
	}
	return token, nil
}

// killSession ends the session; the answer is empty.
func (d *Door) killSession(a *ask) (answer, error) {
	var err error
	if a.from.service != nil {
		err = d.Signup.CloseSession(a.Context(), a.from.token)
	} else {
		err = d.Signin.End(a.Context(), a.from.caller, a.from.id)
	}
	if err != nil && !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.NotFound) { // it ended meanwhile
		return answer{}, err
	}
	return answer{}, nil
}

// device is where the request comes from.
func (a *ask) device() signin.Device {
	return signin.Device{Addr: web.ClientAddr(a.Context()), Agent: a.UserAgent(), Lang: a.language()}
}

// language is that of messages to whoever asks.
func (a *ask) language() string {
	return mail.Language(strings.Join(a.Header.Values("Accept-Language"), ","))
}

// lostPassword is PUT: with an address alone it sends the mail that begins a reset; with the token of that mail and a
// password it ends it. Who is signed in changes the password otherwise.
func (d *Door) lostPassword(a *ask) (answer, error) {
	if a.Method != http.MethodPut && a.Method != http.MethodPatch {
		return answer{}, refuse(http.StatusBadRequest, codeError, "lostPassword takes the verb PUT")
	}
	if token := a.text("session_token"); token != "" {
		if _, err := d.open(a.Context(), token); err == nil {
			return answer{}, refuse(http.StatusBadRequest, codeError, "A session is active. Close it first.")
		} else if !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.Forbidden) {
			return answer{}, err // dashboards send null or undefined for no session
		}
	}
	email, token := a.text("email"), a.text("password_forget_token")
	if email == "" {
		return answer{}, refuse(http.StatusBadRequest, codeError, "parameter email is missing")
	}
	if token == "" {
		if err := d.Signin.AskReset(a.Context(), email, a.device()); err != nil {
			return answer{}, refusalOf(opOther, err)
		}
		return answer{body: []string{"If there is an account for this address, a mail with what to do next is on its way."}}, nil
	}
	reset := signin.ResetRequest{Token: token, Address: email, Password: a.text("password"), Policy: d.policy()}
	if err := d.Signin.Reset(a.Context(), reset, a.device()); err != nil {
		return answer{}, refusalOf(opOther, err)
	}
	return answer{body: []string{"The password is changed."}}, nil
}

// policy is what passwords have to be that are chosen here.
func (d *Door) policy() *signin.Policy {
	p := d.Signin.Policy
	if d.Config.Lenient {
		p.Min, p.Listed = signin.Lowest, true
	}
	return &p
}
