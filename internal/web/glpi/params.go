package glpi

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"rollway/internal/fault"
	"rollway/internal/web"
)

// maxBody bounds the requests of this door; the largest is a list of ten sign-ups.
const maxBody = 64 << 10

// params are the parameters of a request by name, from all the places where the dialect has them: each value is a string,
// float64, bool, nil, map[string]any or []any.
type params struct {
	values  map[string]any
	inQuery bool // the session token is the query's
	ignored bool // there is a body of a type that nobody reads
	body    bool // there is a body
}

// paramsOf reads the query string, the members of the body, and the headers Authorization, Session-Token and App-Token, in
// this order; the later wins. Errors are refusals.
func paramsOf(r *http.Request) (params, error) {
	query, err := web.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return params{}, refuse(http.StatusBadRequest, codeError, fault.Of(err).Message).because(err)
	}
	p := params{values: map[string]any{}}
	for _, name := range query.Names() {
		p.values[name] = fromText(query.Get(name))
	}
	fromQuery := p.values["session_token"] != nil
	body, err := web.Body(r, maxBody)
	if err != nil {
		return p, refuse(web.StatusOf(err), codeError, fault.Of(err).Message).because(err)
	}
	p.body = len(body) > 0
	members, err := p.bodyMembers(r, body)
	if err != nil {
		return p, err
	}
	for name, v := range members {
		p.values[name] = v
	}
	if members["session_token"] != nil {
		fromQuery = false
	}
	p.authorization(r)
	for header, name := range map[string]string{"Session-Token": "session_token", "App-Token": "app_token"} {
		switch sent := r.Header.Values(header); {
		case len(sent) > 1:
			return p, refuse(http.StatusBadRequest, codeError, "the header "+header+" is there more than once")
		case len(sent) == 1 && sent[0] != "":
			p.values[name] = sent[0]
			fromQuery = fromQuery && name != "session_token"
		}
	}
	p.inQuery = fromQuery
	return p, nil
}

// bodyMembers reads the body: JSON where the Content-Type says so or is missing, and forms.
func (p *params) bodyMembers(r *http.Request, body []byte) (map[string]any, error) {
	if len(body) == 0 {
		return nil, nil
	}
	switch media := strings.ToLower(r.Header.Get("Content-Type")); {
	case media == "" || isJSON(r):
		var members map[string]any
		if err := web.ParseJSON(body, &members); err != nil || members == nil {
			return nil, refuse(http.StatusBadRequest, codeBadJSON, "JSON payload seems not valid").because(err)
		}
		return members, nil
	case strings.HasPrefix(media, "application/x-www-form-urlencoded"):
		if begin := strings.TrimLeft(string(body), " \t\r\n"); strings.HasPrefix(begin, "{") || strings.HasPrefix(begin, "[") {
			return nil, refuse(http.StatusBadRequest, codeBadJSON, textNoForm)
		}
		form, err := web.ParseQuery(string(body))
		if err != nil {
			return nil, refuse(http.StatusBadRequest, codeError, fault.Of(err).Message).because(err)
		}
		return formMembers(form), nil
	}
	p.ignored = true
	return nil, nil
}

func isJSON(r *http.Request) bool {
	return strings.Contains(strings.ToLower(r.Header.Get("Content-Type")), "application/json")
}

// formMembers turns fields named input[name] into one object.
func formMembers(form web.Params) map[string]any {
	members, input := map[string]any{}, map[string]any{}
	for _, name := range form.Names() {
		v := fromText(form.Get(name))
		if inner, ok := strings.CutPrefix(name, "input["); ok && strings.HasSuffix(inner, "]") {
			input[strings.TrimSuffix(inner, "]")] = v
		} else {
			members[name] = v
		}
	}
	if len(input) > 0 {
		members["input"] = input
	}
	return members
}

// authorization reads Basic, and user_token, which may stand anywhere in the header: the second word is the token.
func (p *params) authorization(r *http.Request) {
	header := r.Header.Get("Authorization")
	if login, password, ok := r.BasicAuth(); ok {
		p.values["login"], p.values["password"] = login, password
	} else if words := strings.Split(header, " "); strings.Contains(header, "user_token") && len(words) > 1 {
		p.values["user_token"] = words[1]
	}
}

// fromText is a parameter that came as text: true and false are booleans in this dialect.
func fromText(s string) any {
	switch s {
	case "true":
		return true
	case "false":
		return false
	}
	return s
}

// text is a parameter as text; "" if it is not there or is none.
func (p params) text(name string) string { return textOf(p.values[name]) }

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool: // of the query, where it was text
		return strconv.FormatBool(v)
	}
	return ""
}

// numberOf is an id: a whole number, or one written as text.
func numberOf(v any) (int64, bool) {
	switch v := v.(type) {
	case float64:
		if v != math.Trunc(v) || math.Abs(v) >= 1<<53 {
			return 0, false
		}
		return int64(v), true
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// given tells a value from what PHP calls empty.
func given(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != "" && v != "0"
	case float64:
		return v != 0
	case map[string]any:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return true
}
