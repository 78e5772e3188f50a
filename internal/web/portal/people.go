package portal

import (
	"net/http"
	"net/url"
	"strconv"

	"rollway/internal/access"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
)

// inList is how many lines a page of a list has.
const inList = 50

// showPeople is GET /people: groups and people of the organization.
func showPeople(v *visit) error {
	if err := v.may(access.PeopleRead); err != nil {
		return err
	}
	ctx := v.r.Context()
	groups, err := v.People.Groups(ctx, v.caller, id.PersonID{})
	if err != nil {
		return err
	}
	from, _ := strconv.Atoi(v.query.Get("from")) // anything else is the beginning
	from = max(from, 0)
	list, total, err := v.People.Numbered(ctx, v.caller, from, inList)
	if err != nil {
		return err
	}
	p := peoplePage{frame: v.frame("people.title", "people"), Summary: v.count("people.summary", total)}
	for _, g := range groups {
		p.Groups = append(p.Groups, group{g.Name, g.Default})
	}
	for _, one := range list {
		p.People = append(p.People, p.someone(one))
	}
	if from+len(list) < total && len(list) > 0 {
		p.More = "/people?from=" + strconv.Itoa(from+len(list))
	}
	return v.show(http.StatusOK, "people", &p)
}

func (f *frame) someone(p directory.Person) someone {
	out := someone{Name: p.Name, Address: p.Attributes["Email"].String(), Owner: p.Privileged}
	if out.Name == "" {
		out.Name, out.Address = first(out.Address, f.say("people.unnamed")), ""
	}
	out.Initial = initial(first(p.Name, p.Attributes["Email"].String()))
	if p.State != directory.Active {
		out.State = f.say("people." + string(p.State))
	}
	return out
}

// title is that of a course of the caller's organization; "" for what is none.
func (v *visit) title(activity string) (string, error) {
	c, err := v.Content.Find(v.r.Context(), v.caller.Org, activity)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return c.Title, err
}

// showRecords is GET /records: the latest statements in sentences.
func showRecords(v *visit) error {
	if err := v.may(access.StatementsRead); err != nil {
		return err
	}
	var found lrs.Page
	var err error
	if more := v.query.Get("more"); more != "" {
		found, err = v.Records.More(v.r.Context(), v.caller, more)
	} else {
		found, err = v.Records.Find(v.r.Context(), v.caller, lrs.Query{Limit: inList})
	}
	if err != nil {
		return err
	}
	p := recordsPage{frame: v.frame("records.title", "records"), Art: artOf("records")}
	for _, s := range found.Statements {
		r, err := p.sentence(s, v.title)
		if err != nil {
			return err
		}
		p.Records = append(p.Records, r)
	}
	if found.More != "" {
		p.More = "/records?more=" + url.QueryEscape(found.More)
	}
	return v.show(http.StatusOK, "records", &p)
}
