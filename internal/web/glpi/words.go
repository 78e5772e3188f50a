package glpi

import (
	"errors"
	"net/http"

	"rollway/internal/fault"
	"rollway/internal/web"
)

// op is what was being done when a room refused: it decides status and code.
type op uint8

const (
	opOther op = iota
	opRead
	opAdd
	opUpdate
	opDelete
	opLogin
)

func (o op) code() string {
	return [...]string{codeError, codeError, "ERROR_GLPI_ADD", "ERROR_GLPI_UPDATE", "ERROR_GLPI_DELETE", codeLogin}[o]
}

// words are the texts that the dialect has for faults of the rooms, by their code. All others are told in the rooms' own.
var words = map[string]string{
	"password_too_short":  "Password too short!",
	"passwords_differ":    "Passwords are different",
	"bad_address":         "Email address is not valid",
	"challenge_missing":   "Turing test not specified",
	"challenge_unknown":   "Turing test not found",
	"challenge_failed":    "Turing test failed",
	"address_taken":       "An entity already exists for your email. You probably already have an account.",
	"validation_missing":  "Validation token missing",
	"validation_invalid":  "Validation token is invalid",
	"validation_expired":  "Validation token expired",
	"validation_unknown":  textItem,
	"bad_login":           "Incorrect username or password",
	"not_validated":       "Your account is not validated yet. Follow the link in the mail first.",
	"not_approved":        "Your account is not open yet. Follow the link in the mail, then wait for a message that lets you in.",
	"too_many_challenges": "Too many captcha requests",
}

// refusalOf puts what a room said into the dialect: nil for nil, refusals as they are.
func refusalOf(o op, err error) *refusal {
	if err == nil {
		return nil
	}
	var own *refusal
	if errors.As(err, &own) {
		return own
	}
	f := fault.Of(err)
	text := words[f.Code]
	if text == "" {
		text = f.Message
	}
	status, code := http.StatusBadRequest, o.code()
	switch {
	case f.Kind == fault.Internal || f.Kind == fault.Unavailable:
		status, code = web.StatusOf(err), codeError
	case o == opLogin:
		status = http.StatusUnauthorized
	case f.Kind == fault.Forbidden:
		text = textRight
		if o == opRead {
			status, code = http.StatusUnauthorized, codeRight
		}
	case o == opRead && f.Kind == fault.NotFound:
		return refuse(http.StatusNotFound, codeItem, textItem).because(err)
	}
	return refuse(status, code, text).because(err)
}

func errRight() error { return fault.New(fault.Forbidden, "right_missing", textRight) }
