package clearxp

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/credential"
	"rollway/internal/fault"
	"rollway/internal/web"
	"rollway/xapi"
)

// mintRequest is the body of POST /api/auth/basic. Both username and password may be left out; then they are made here and
// answered this once.
type mintRequest struct {
	Username string         `json:"username"`
	Password string         `json:"password"`
	TTLMins  jsontext.Value `json:"ttlMins"`
	Data     jsontext.Value `json:"data"`
}

type mintAnswer struct {
	Username  string `json:"username"`
	Password  string `json:"password,omitempty"` // only one that was made here
	ExpiresAt string `json:"expiresAt"`
}

// mint is POST /api/auth/basic: a credential for an agent.
func (d *Door) mint(w http.ResponseWriter, r *http.Request) error {
	web.NoStore(w.Header())
	c, err := d.caller(r)
	if err != nil {
		return err
	}
	var body mintRequest
	if err := web.JSON(r, maxBody, &body); err != nil {
		return err
	}
	want := credential.Request{Username: body.Username, Password: body.Password}
	if want.TTL, err = minutes(body.TTLMins, d.Credentials.Limits.MaxTTL); err != nil {
		return err
	}
	if want.Agent, err = actorOfData(body.Data); err != nil {
		return err
	}
	minted, err := d.Credentials.Mint(r.Context(), c, want)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, mintAnswer{minted.Username, minted.Password, minted.Expires.Format(time.RFC3339)})
	return nil
}

// minutes reads ttlMins: a whole number from 1 to most; absent is zero, which stands for the default.
func minutes(v jsontext.Value, most time.Duration) (time.Duration, error) {
	if len(v) == 0 {
		return 0, nil
	}
	bad := fault.New(fault.Invalid, "invalid_ttl", "`ttlMins` is a whole number of minutes from 1 to %d.", most/time.Minute).With(fault.Field{Name: "/ttlMins", Message: "It is not.", Value: shortened(v)})
	if v.Kind() != '0' {
		return 0, bad
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f < 1 || f != math.Trunc(f) || f > most.Minutes() {
		return 0, bad
	}
	return time.Duration(f) * time.Minute, nil
}

// actorOfData reads data.actor; other members of data are no concern of ours.
func actorOfData(data jsontext.Value) (xapi.Agent, error) {
	if len(data) == 0 {
		return xapi.Agent{}, nil
	}
	var members map[string]jsontext.Value
	if data.Kind() != '{' {
		return xapi.Agent{}, fault.New(fault.Invalid, "invalid_data", "`data` is a JSON object.").With(fault.Field{Name: "/data", Message: "It is not a JSON object.", Value: shortened(data)})
	}
	if err := web.ParseJSON(data, &members); err != nil {
		return xapi.Agent{}, err
	}
	v, ok := members["actor"]
	if !ok {
		return xapi.Agent{}, nil
	}
	return actor(v, "/data/actor")
}

type credentialAnswer struct {
	Username  string `json:"username"`
	Kind      string `json:"kind"`
	Actor     answer `json:"actor"`
	CreatedAt string `json:"createdAt"`
	ExpiresAt string `json:"expiresAt"`
	RevokedAt string `json:"revokedAt,omitempty"`
	LastUsed  string `json:"lastUsedAt,omitempty"`
}

// listCredentials is GET /api/auth/basic?agent=AGENT: what was minted for a person, without the secrets.
func (d *Door) listCredentials(w http.ResponseWriter, r *http.Request) error {
	c, err := d.caller(r)
	if err != nil {
		return err
	}
	q, err := web.Query(r, "agent")
	if err != nil {
		return err
	}
	agent, err := actor(jsontext.Value(q.Get("agent")), "agent")
	if err != nil {
		return err
	}
	list, err := d.Credentials.List(r.Context(), c, agent.IFI)
	if err != nil {
		return err
	}
	out := make([]credentialAnswer, len(list))
	for i, k := range list {
		out[i] = credentialAnswer{k.Username, string(k.Kind), answerOf(k.Agent, nil), stamp(k.Created), stamp(k.Expires), stamp(k.Revoked), stamp(k.LastUsed)}
	}
	web.WriteJSON(w, http.StatusOK, map[string]any{"credentials": out})
	return nil
}

// revokeCredential is DELETE /api/auth/basic/{username}: 204, again 204, 404 for one that never was.
func (d *Door) revokeCredential(w http.ResponseWriter, r *http.Request) error {
	c, err := d.caller(r)
	if err != nil {
		return err
	}
	if err := d.Credentials.Revoke(r.Context(), c, r.PathValue("username")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
