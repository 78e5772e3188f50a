package directory

import (
	"context"
	"strings"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// reference is how people are named by hand: an id, an e-mail address, homePage|name, or an identifier's key.
type reference struct {
	text   string
	person id.PersonID
	mail   string // normalized value of Email
	ifi    string // key of an identifier
}

func parseReference(text string) (reference, error) {
	r := reference{text: strings.TrimSpace(text)}
	if who, err := id.Parse[id.PersonID](r.text); err == nil {
		r.person = who
		return r, nil
	}
	var ifi xapi.IFI
	err := error(fault.New(fault.Invalid, "", ""))
	homePage, name, account := strings.Cut(r.text, "|")
	switch {
	case !storable(r.text) || len(r.text) > MaxIdentifier:
	case account:
		ifi, err = xapi.ParseAccount(homePage, name)
	case strings.HasPrefix(r.text, "mailto:"):
		ifi, err = xapi.ParseMbox(r.text)
	case strings.HasPrefix(r.text, "http://") || strings.HasPrefix(r.text, "https://"):
		ifi, err = xapi.ParseOpenID(r.text)
	default:
		if ifi, err = xapi.ParseKey(r.text); err != nil && strings.Contains(r.text, "@") {
			r.mail = normalize("email", r.text)
			ifi, err = xapi.ParseMbox("mailto:" + r.text)
			if err != nil { // an address beyond ASCII can be an attribute and no mbox
				return r, nil
			}
		}
	}
	if err != nil {
		return r, fault.New(fault.Invalid, "unknown_reference", "%q names nobody: a person is named by their id, their e-mail address, homePage|name, or an identifier such as mbox:mailto:….", clip(strings.ToValidUTF8(r.text, "\uFFFD"))).Because(err)
	}
	r.ifi = ifi.Key()
	return r, nil
}

// The best of a reference's owners: the id, else the holder of the address, else the owner of the identifier.
const referenceOwner = `SELECT person_id FROM (
	SELECT 0 AS best, id AS person_id FROM people WHERE org_id = ? AND id = ?
	UNION ALL SELECT 1, person_id FROM unique_values WHERE org_id = ? AND attribute = 'email' AND value = ?
	UNION ALL SELECT 2, person_id FROM agents WHERE org_id = ? AND ifi = ?) AS named ORDER BY best LIMIT 1`

// named reads the person a reference names, or nil.
func named(ctx context.Context, tx *db.Tx, org id.OrgID, r reference) (p *record, err error) {
	// The subquery stands once, as a table of its own, so that its arguments do too.
	q := query{with: `WITH named(person_id) AS (` + referenceOwner + `) `, args: []any{org, r.person, org, r.mail, org, r.ifi},
		ids: "SELECT person_id FROM named", org: org, attributes: true}
	if err := askPeople(ctx, tx, q, func(found *record) { p = found }); err != nil {
		return nil, err
	}
	return p, tx.Flush(ctx)
}

func (r reference) unknown() error {
	return fault.New(fault.NotFound, "person_unknown", "Nobody is known as %s.", clip(r.text))
}
