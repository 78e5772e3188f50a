package glpi

import (
	"net/http"

	"rollway/internal/access"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
)

func names(p directory.Person) (first, last string) {
	f, hasFirst := p.Attributes["FirstName"]
	l, hasLast := p.Attributes["LastName"]
	if !hasFirst && !hasLast {
		return "", p.Name
	}
	return f.String(), l.String()
}

func loginOf(p directory.Person) string { return p.Attributes["Email"].String() }

func (d *Door) userItem(a *ask, p directory.Person) item {
	first, last := names(p)
	profile, active := profileRegistered, 1
	if p.State != directory.Active {
		profile, active = 1, 0
	}
	number := p.Number
	return item{
		"id": number, "name": loginOf(p), "realname": last, "firstname": first, "entities_id": p.Org, "profiles_id": profile, "is_active": active,
		"date_creation": stamp(p.Created), "date_mod": stamp(p.Updated),
		"links": []item{
			{"rel": "Entity", "href": d.url(a, "Entity", int64(p.Org))},
			{"rel": "UserEmail", "href": d.url(a, "User", number) + "/UserEmail"},
		},
	}
}

func emailItems(p directory.Person) []item {
	email := loginOf(p)
	if email == "" {
		return nil
	}
	return []item{{"id": p.Number, "users_id": p.Number, "name": email, "email": email, "is_default": 1, "is_dynamic": 0}}
}

// users are those of one's organization for who administers it, and oneself for everybody else.
func (d *Door) users(a *ask, s span) ([]item, int, error) {
	people, total, err := d.Directory.Numbered(a.Context(), a.from.caller, s.first, s.count)
	var out []item
	for _, p := range people {
		out = append(out, d.userItem(a, p))
	}
	return out, total, err
}

func (d *Door) user(a *ask, number int64) (answer, error) {
	p, err := d.Directory.ByNumber(a.Context(), a.from.caller, number)
	if err != nil {
		return answer{}, err
	}
	return answer{body: d.userItem(a, p), header: map[string]string{"Last-Modified": p.Updated.UTC().Format(http.TimeFormat)}}, nil
}

func (d *Door) userEmails(a *ask, number int64, s span) ([]item, int, error) {
	p, err := d.Directory.ByNumber(a.Context(), a.from.caller, number)
	if err != nil {
		return nil, 0, err
	}
	list := emailItems(p)
	return s.of(list), len(list), nil
}

// myEmails lists one's own address; those of others stand below their users.
func (d *Door) myEmails(a *ask, s span) ([]item, int, error) {
	p, err := d.Directory.Self(a.Context(), a.from.caller)
	list := emailItems(p)
	return s.of(list), len(list), err
}

func (d *Door) userEmail(a *ask, number int64) (answer, error) {
	p, err := d.Directory.ByNumber(a.Context(), a.from.caller, number)
	if err != nil {
		return answer{}, err
	}
	list := emailItems(p)
	if len(list) == 0 {
		return answer{}, errNoItem()
	}
	return answer{body: list[0]}, nil
}

func (d *Door) entities(a *ask, s span) ([]item, int, error) {
	o, err := d.Directory.OrganizationByID(a.Context(), a.from.caller.Org)
	return s.of([]item{entityOf(o)}), 1, err
}

func (d *Door) entity(a *ask, number int64) (answer, error) {
	if id.OrgID(number) != a.from.caller.Org {
		return answer{}, errNoItem()
	}
	o, err := d.Directory.OrganizationByID(a.Context(), a.from.caller.Org)
	return answer{body: entityOf(o)}, err
}

func entityOf(o directory.Organization) item {
	return item{"id": o.ID, "name": o.Name, "completename": o.Name, "entities_id": 0, "level": 1, "date_creation": stamp(o.Created)}
}

// groups are all of one's organization for who administers it, and one's own for everybody else.
func (d *Door) groups(a *ask) ([]item, error) {
	who := a.from.caller.Person
	if a.from.caller.Scopes.Has(access.PeopleRead) {
		who = id.PersonID{}
	}
	groups, err := d.Directory.Groups(a.Context(), a.from.caller, who)
	var out []item
	for _, g := range groups {
		isDefault := 0
		if g.Default {
			isDefault = 1
		}
		out = append(out, item{"id": g.Number, "name": g.Name, "entities_id": a.from.caller.Org, "is_recursive": 0, "is_default": isDefault})
	}
	return out, err
}

func (d *Door) fleets(a *ask, s span) ([]item, int, error) {
	list, err := d.groups(a)
	return s.of(list), len(list), err
}

func (d *Door) fleet(a *ask, number int64) (answer, error) {
	list, err := d.groups(a)
	if err != nil {
		return answer{}, err
	}
	for _, g := range list {
		if g["id"] == number {
			return answer{body: g}, nil
		}
	}
	return answer{}, fault.New(fault.NotFound, "group_unknown", textItem)
}
