package lrsapi

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
)

// getPerson answers everything an agent's person is known by (Communication 2.4).
func (d *door) getPerson(w http.ResponseWriter, r *http.Request, a asked) error {
	p := params{Params: a.query}
	if err := p.Only("agent"); err != nil {
		return err
	}
	p.need("agent")
	agent := p.agent("agent")
	if p.err != nil {
		return p.err
	}
	person, err := d.personOf(r.Context(), a.caller, agent)
	if err != nil {
		return err
	}
	text, err := json.Marshal(person)
	if err != nil {
		return err
	}
	return writeJSON(w, text)
}

// getActivity answers what statements have said of an activity (Communication 2.5).
func (d *door) getActivity(w http.ResponseWriter, r *http.Request, a asked) error {
	p := params{Params: a.query}
	if err := p.Only("activityId"); err != nil {
		return err
	}
	p.need("activityId")
	iri := p.iri("activityId")
	if p.err != nil {
		return p.err
	}
	text, err := d.store.Activity(r.Context(), a.caller, string(iri))
	if err != nil {
		return err
	}
	room, err := d.holdAnswer(r.Context(), a, len(text))
	defer room.leave()
	if err != nil {
		return err
	}
	return writeJSON(w, text)
}

func writeJSON(w http.ResponseWriter, text []byte) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, err := w.Write(text)
	return err
}
