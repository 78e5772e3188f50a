package clearxp

import (
	"net/http"

	"rollway/internal/web"
)

// upsertAgent is PUT and POST /api/actors/agents: one actor in, the actor to use from then on out. The header
// Rollway-Outcome says what was decided: created, updated, matched or unchanged.
func (d *Door) upsertAgent(w http.ResponseWriter, r *http.Request) error {
	c, err := d.caller(r)
	if err != nil {
		return err
	}
	if err := web.ContentType(r, "application/json"); err != nil {
		return err
	}
	body, err := web.Body(r, maxBody)
	if err != nil {
		return err
	}
	said, err := claims(body)
	if err != nil {
		return err
	}
	decided, err := d.Directory.Provision(r.Context(), c, said)
	if err != nil {
		return err
	}
	w.Header().Set("Rollway-Outcome", string(decided.Outcome))
	web.WriteJSON(w, http.StatusOK, answerOf(decided.Person.Primary(), decided.Person.Attributes))
	return nil
}
