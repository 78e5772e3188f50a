package lrsapi

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

func (d *door) putStatement(w http.ResponseWriter, r *http.Request, a asked) error {
	p := params{Params: a.query}
	if err := p.Only("statementId"); err != nil {
		return err
	}
	p.need("statementId")
	wanted := p.uuid("statementId")
	if p.err != nil {
		return p.err
	}
	if _, err := d.put(r, a, id.StatementID(wanted)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *door) postStatements(w http.ResponseWriter, r *http.Request, a asked) error {
	if err := a.query.Only(); err != nil {
		return err
	}
	ids, err := d.put(r, a, id.StatementID{})
	if err != nil {
		return err
	}
	return writeJSON(w, listed(ids))
}

// listed is a JSON array of ids.
func listed(ids []id.StatementID) []byte {
	b := append(make([]byte, 0, 2+39*len(ids)), '[')
	for i, sid := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), sid.String()...), '"')
	}
	return append(b, ']')
}

func (d *door) getStatements(w http.ResponseWriter, r *http.Request, a asked) error {
	p := params{Params: a.query}
	switch {
	case p.Has("more"):
		if err := p.Only("more"); err != nil {
			return err
		}
		page, err := d.store.More(r.Context(), a.caller, p.Get("more"))
		if err != nil {
			return err
		}
		return d.writePage(w, r, a, page)
	case p.Has("statementId"), p.Has("voidedStatementId"):
		return d.getStatement(w, r, a, &p)
	}
	if err := p.Only("agent", "verb", "activity", "registration", "related_activities", "related_agents", "since", "until", "limit", "format", "attachments", "ascending"); err != nil {
		return err
	}
	q := lrs.Query{
		Agent:             p.actor("agent"),
		Verb:              string(p.iri("verb")),
		Activity:          string(p.iri("activity")),
		Registration:      p.registration(),
		RelatedAgents:     p.bool("related_agents"),
		RelatedActivities: p.bool("related_activities"),
		Since:             p.time("since"),
		Until:             p.time("until"),
		Ascending:         p.bool("ascending"),
		Limit:             p.count("limit"),
		Carry:             p.shape().carry(),
	}
	if p.err != nil {
		return p.err
	}
	if p.Has("limit") && q.Limit == 0 {
		q.Limit = lrs.MaxLimit // 0 asks for as many as we give
	}
	page, err := d.store.Find(r.Context(), a.caller, q)
	if err != nil {
		return err
	}
	return d.writePage(w, r, a, page)
}

// getStatement answers one statement: the bytes that are stored.
func (d *door) getStatement(w http.ResponseWriter, r *http.Request, a asked, p *params) error {
	name := "statementId"
	if p.Has("voidedStatementId") {
		name = "voidedStatementId"
	}
	if err := p.Only(name, "format", "attachments"); err != nil {
		return fault.New(fault.Invalid, "bad_parameter", "With %s only format and attachments may be given.", name).With(fault.Field{Name: "query"})
	}
	sid, shape := p.uuid(name), p.shape()
	if p.err != nil {
		return p.err
	}
	st, err := d.store.Get(r.Context(), a.caller, id.StatementID(sid), name == "voidedStatementId")
	if err != nil {
		return err
	}
	attached, err := d.attached(r, a, shape, []lrs.Statement{st})
	if err != nil {
		return err
	}
	f := d.formatter(r, a, shape.format)
	text, err := f.format(st.JSON)
	if err != nil {
		return err
	}
	room, err := d.holdAnswer(r.Context(), a, len(text))
	defer room.leave()
	if err != nil {
		return err
	}
	lastModified(w.Header(), st.Stored)
	if !shape.attachments {
		return writeJSON(w, text)
	}
	return writeMixed(w, r, attached, func(b *bufio.Writer) { _, _ = b.Write(text) })
}

// writePage writes a StatementResult (Data 2.5) around the bytes that are stored.
func (d *door) writePage(w http.ResponseWriter, r *http.Request, a asked, page lrs.Page) error {
	shape := shapeOf(page.Carry)
	attached, err := d.attached(r, a, shape, page.Statements)
	if err != nil {
		return err
	}
	f := d.formatter(r, a, shape.format)
	n := 0
	for i := range page.Statements {
		text, err := f.format(page.Statements[i].JSON)
		if err != nil {
			return err
		}
		page.Statements[i].JSON = text
		n += len(text)
	}
	room, err := d.holdAnswer(r.Context(), a, n)
	defer room.leave()
	if err != nil {
		return err
	}
	if shape.attachments {
		return writeMixed(w, r, attached, func(b *bufio.Writer) { writeResult(b, page) })
	}
	w.Header().Set("Content-Type", "application/json")
	b := bufio.NewWriterSize(w, 32<<10)
	writeResult(b, page)
	return b.Flush()
}

// writeResult writes a StatementResult on one line. b keeps its first error for Flush.
func writeResult(b *bufio.Writer, page lrs.Page) {
	_, _ = b.WriteString(`{"statements":[`)
	for i, st := range page.Statements {
		if i > 0 {
			_ = b.WriteByte(',')
		}
		_, _ = b.Write(st.JSON)
	}
	_, _ = b.WriteString(`],"more":"`)
	if page.More != "" {
		_, _ = b.WriteString("/xapi/statements?more=" + url.QueryEscape(page.More))
	}
	_, _ = b.WriteString(`"}`)
}

// shape is how statements are answered. It travels with the pages of a query.
type shape struct {
	format      string
	attachments bool
}

func (p *params) shape() shape {
	return shape{p.oneOf("format", "exact", "ids", "canonical"), p.bool("attachments")}
}

const withAttachments = " attachments"

func (s shape) carry() string {
	if s.attachments {
		return s.format + withAttachments
	}
	return s.format
}

func shapeOf(carry string) shape {
	format, attachments := strings.CutSuffix(carry, withAttachments)
	return shape{format, attachments}
}

// formatter turns stored statements into the format asked for (Communication 2.1.3).
type formatter struct {
	name      string
	canonical xapi.CanonicalFormat
	left      int   // bytes of definitions that may be filled in
	err       error // of a definition that could not be looked up
}

// maxFilled bounds what is filled into the statements of one answer: a page may name the same activity in each, and a
// statement many.
const maxFilled = 16 << 20

func (d *door) formatter(r *http.Request, a asked, name string) *formatter {
	f := &formatter{name: name, left: maxFilled}
	if name != "canonical" {
		return f
	}
	known := map[xapi.IRI][]byte{}
	f.canonical = xapi.CanonicalFormat{
		Languages: xapi.ParseAcceptLanguage(strings.Join(r.Header["Accept-Language"], ",")),
		Definition: func(iri xapi.IRI) []byte {
			if f.left <= 0 {
				return nil
			}
			text, ok := known[iri]
			if !ok && f.err == nil {
				text, f.err = d.definition(r.Context(), a, iri)
				known[iri] = text
			}
			f.left -= len(text)
			return text
		},
	}
	return f
}

func (d *door) definition(ctx context.Context, a asked, iri xapi.IRI) ([]byte, error) {
	text, err := d.store.Activity(ctx, a.caller, string(iri))
	if err != nil {
		return nil, err
	}
	var activity struct {
		Definition jsontext.Value `json:"definition"`
	}
	err = json.Unmarshal(text, &activity)
	return activity.Definition, err
}

func (f *formatter) format(statement []byte) ([]byte, error) {
	switch f.name {
	case "ids":
		return xapi.FormatIDs(statement)
	case "canonical":
		text, err := f.canonical.Format(statement)
		if f.err != nil {
			err = f.err
		}
		return text, err
	}
	return statement, nil
}
