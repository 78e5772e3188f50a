package lrsapi

import (
	"net/http"
	"strconv"
	"strings"

	"rollway/internal/lrs"
	"rollway/internal/web"
)

// documents is one of the three resources of documents (Communication 2.2), with its parameters.
type documents struct {
	*door
	kind  lrs.DocumentKind
	id    string   // the parameter that names one document
	where []string // the parameters that name the place, all required
	extra []string // one more that may
}

func (d *door) documents(kind lrs.DocumentKind, id string, where []string, extra ...string) methods {
	docs := documents{d, kind, id, where, extra}
	return methods{"GET": docs.get, "PUT": docs.put, "POST": docs.post, "DELETE": docs.delete}
}

// key reads the parameters; more are those that the method takes beside them.
func (d documents) key(p *params, single bool, more ...string) (lrs.DocumentKey, error) {
	known := append(append(append([]string{d.id}, d.where...), d.extra...), more...)
	if err := p.Only(known...); err != nil {
		return lrs.DocumentKey{}, err
	}
	p.need(d.where...)
	if single {
		p.need(d.id)
	}
	if p.Has(d.id) && p.Get(d.id) == "" {
		p.wrong(d.id, "It must not be empty.")
	}
	k := lrs.DocumentKey{Kind: d.kind, Activity: string(p.iri("activityId")), Agent: p.actor("agent"), Registration: p.registration(), ID: p.Get(d.id)}
	return k, p.err
}

func (d documents) get(w http.ResponseWriter, r *http.Request, a asked) error {
	p := params{Params: a.query}
	if !p.Has(d.id) {
		return d.list(w, r, a, &p)
	}
	k, err := d.key(&p, true)
	if err != nil {
		return err
	}
	doc, err := d.store.Document(r.Context(), a.caller, k)
	if err != nil {
		return err
	}
	room, err := d.holdAnswer(r.Context(), a, len(doc.Content))
	defer room.leave()
	if err != nil {
		return err
	}
	h := w.Header()
	tag := `"` + doc.ETag + `"`
	h["ETag"] = []string{tag}
	lastModified(h, doc.Updated)
	if named(r.Header["If-None-Match"], tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", doc.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(doc.Content)))
	_, err = w.Write(doc.Content)
	return err
}

// named tells whether one of the entity tags of If-None-Match is the one given (RFC 9110 section 13.1.2).
func named(lines []string, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == tag || part == "*" {
			return true
		}
	}
	return false
}

// list answers the ids of the documents of a place.
func (d documents) list(w http.ResponseWriter, r *http.Request, a asked, p *params) error {
	k, err := d.key(p, false, "since")
	if err != nil {
		return err
	}
	since := p.time("since")
	if p.err != nil {
		return p.err
	}
	ids, err := d.store.DocumentIDs(r.Context(), a.caller, k, since)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, ids)
	return nil
}

func (d documents) put(w http.ResponseWriter, r *http.Request, a asked) error {
	k, doc, err := d.sent(r, a)
	if err == nil {
		err = d.store.PutDocument(r.Context(), a.caller, a.line, k, doc, precondition(r))
	}
	return noContent(w, err)
}

func (d documents) post(w http.ResponseWriter, r *http.Request, a asked) error {
	k, doc, err := d.sent(r, a)
	if err == nil {
		err = d.store.PostDocument(r.Context(), a.caller, k, doc, precondition(r))
	}
	return noContent(w, err)
}

// sent reads the key and the document of a request. A document without a type is just bytes (RFC 9110 section 8.3).
func (d documents) sent(r *http.Request, a asked) (lrs.DocumentKey, lrs.Document, error) {
	p := params{Params: a.query}
	k, err := d.key(&p, true)
	if err != nil {
		return k, lrs.Document{}, err
	}
	doc := lrs.Document{ContentType: r.Header.Get("Content-Type")}
	if doc.ContentType == "" {
		doc.ContentType = "application/octet-stream"
	}
	doc.Content, err = web.Body(r, lrs.MaxDocument)
	return k, doc, err
}

func (d documents) delete(w http.ResponseWriter, r *http.Request, a asked) error {
	p := params{Params: a.query}
	one := p.Has(d.id) || d.kind != lrs.State
	k, err := d.key(&p, one)
	switch {
	case err != nil:
	case one:
		err = d.store.DeleteDocument(r.Context(), a.caller, k, precondition(r))
	default:
		err = d.store.DeleteDocuments(r.Context(), a.caller, k)
	}
	return noContent(w, err)
}

func precondition(r *http.Request) lrs.Precondition {
	return lrs.Precondition{IfMatch: strings.Join(r.Header["If-Match"], ", "), IfNoneMatch: strings.Join(r.Header["If-None-Match"], ", ")}
}

func noContent(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
