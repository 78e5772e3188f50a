package glpi

import (
	"context"
	"net/http"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/web"
)

// session is on whose behalf a request is made: of a service token or of a person. The zero value is nobody's.
type session struct {
	token   string
	service *Service
	caller  access.Caller // of a person
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

// open finds a session of either kind. Fault: Unauthenticated.
func (d *Door) open(ctx context.Context, token string) (session, error) {
	service, err := d.Service(ctx, token)
	if err == nil {
		return session{token: token, service: &service}, nil
	}
	if !fault.Is(err, fault.Unauthenticated) {
		return session{}, err
	}
	caller, err := d.Person(ctx, token)
	return session{token: token, caller: caller}, err
}

// initSession opens a session with a user_token, which is a service token, or with a person's login and password. Any verb
// will do.
func (d *Door) initSession(a *ask) (answer, error) {
	token, err := d.begin(a)
	if err != nil {
		return answer{}, err
	}
	out := map[string]any{"session_token": token}
	if a.text("get_full_session") == "true" {
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
		token, err = d.OpenService(a.Context(), userToken, a.Header.Get("Origin"))
		if fault.Is(err, fault.Unauthenticated) {
			return "", refuse(http.StatusUnauthorized, codeUserToken, "parameter user_token seems invalid").because(err)
		}
		if fault.Is(err, fault.Forbidden) {
			return "", refuse(http.StatusBadRequest, codeNotAllowedIP, "There isn't an active API client matching your IP address in the configuration ("+web.ClientAddr(a.Context()).String()+")").because(err)
		}
	case login == "" || password == "":
		return "", refuse(http.StatusBadRequest, codeLoginMissing, "parameter(s) login, password or user_token are missing")
	case d.Config.NoPasswords:
		return "", refuse(http.StatusBadRequest, codeLoginDisabled, "usage of initSession resource with credentials is disabled")
	default:
		token, err = d.SignIn(a.Context(), login, password, a.Request)
	}
	if err != nil {
		return "", refusalOf(opLogin, err)
	}
	return token, nil
}

// killSession ends the session; the answer is empty.
func (d *Door) killSession(a *ask) (answer, error) {
	end := d.SignOut
	if a.from.service != nil {
		end = d.CloseService
	}
	if err := end(a.Context(), a.from.token); err != nil && !fault.Is(err, fault.Unauthenticated) {
		return answer{}, err
	}
	return answer{}, nil
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
		if err := d.AskReset(a.Context(), email, a.Request); err != nil {
			return answer{}, refusalOf(opOther, err)
		}
		return answer{body: []string{"If there is an account for this address, a mail with what to do next is on its way."}}, nil
	}
	if err := d.Reset(a.Context(), email, token, a.text("password"), a.Request); err != nil {
		return answer{}, refusalOf(opOther, err)
	}
	return answer{body: []string{"The password is changed."}}, nil
}
