package credential

import (
	"bytes"
	"context"
	"slices"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// owner is whom an agent belongs to, as far as minting must know.
type owner struct {
	person      id.PersonID
	state       string
	suspensions int64
	privileged  bool
}

const (
	ownerOfAgent = `SELECT a.person_id, p.state, p.suspensions, EXISTS (SELECT 1 FROM grants g WHERE g.org_id = a.org_id AND g.person_id = a.person_id)
 FROM agents a JOIN people p ON p.org_id = a.org_id AND p.id = a.person_id WHERE a.org_id = ? AND a.ifi = ?`
	ownersOfAgents = `SELECT w.n, a.person_id, p.state, p.suspensions, EXISTS (SELECT 1 FROM grants g WHERE g.org_id = a.org_id AND g.person_id = a.person_id)
 FROM unnest(?::bigint[], ?::bigint[], ?::text[]) AS w (n, org_id, ifi) JOIN agents a ON a.org_id = w.org_id AND a.ifi = w.ifi
 JOIN people p ON p.org_id = a.org_id AND p.id = a.person_id`
	namesTaken = `SELECT w.n, c.credential_id FROM unnest(?::bigint[], ?::bytea[]) AS w (n, name_hash) JOIN credential_names c ON c.name_hash = w.name_hash`
)

// writeMinted stores several credentials in one transaction: one round trip to look, one to write. What is wrong with one
// of them is its own error and does not hinder the others.
func (v *Vault) writeMinted(ctx context.Context, tx *db.Tx, batch []*minting) error {
	for _, m := range batch {
		m.err = nil
	}
	owners, err := findOwners(ctx, tx, batch)
	if err != nil {
		return err
	}
	for i, m := range batch {
		if m.Kind == Minted && m.err == nil {
			m.suspensions = owners[i].suspensions
			m.Person, m.err = owners[i].check(m)
		}
	}
	good := slices.DeleteFunc(slices.Clone(batch), func(m *minting) bool { return m.err != nil })
	// In one order, so that two batches with the same names do not lock each other out.
	slices.SortStableFunc(good, func(a, b *minting) int { return bytes.Compare(a.nameHash, b.nameHash) })
	var last *minting
	good = slices.DeleteFunc(good, func(m *minting) bool {
		if last != nil && bytes.Equal(last.nameHash, m.nameHash) {
			m.err = usernameTaken()
			return true
		}
		last = m
		return false
	})
	return v.insertMinted(ctx, tx, good)
}

func (v *Vault) insertMinted(ctx context.Context, tx *db.Tx, good []*minting) error {
	names, rows, entries := make([][]any, len(good)), make([][]any, len(good)), make([]access.Entry, len(good))
	for i, m := range good {
		names[i] = []any{m.nameHash, int64(m.caller.Org), m.ID, m.secretHash}
		rows[i] = m.values(m.caller.Org, m.suspensions)
		entries[i] = m.entry
	}
	if err := insertNames.Insert(ctx, tx, names); err != nil {
		return err
	}
	if err := insertCredentials.Insert(ctx, tx, rows); err != nil {
		return err
	}
	tx.AfterCommit(v.known.Added)
	return access.AuditAll(ctx, tx, entries)
}

func (o owner) check(m *minting) (id.PersonID, error) {
	if o.person.IsZero() {
		return o.person, actorUnknown(m.Agent.IFI)
	}
	if err := personFault(o.state); err != nil {
		return o.person, err
	}
	if o.privileged {
		return o.person, fault.New(fault.Forbidden, "person_privileged", "This person holds an admin right, so nobody else can get a credential for them.")
	}
	return o.person, nil
}

func actorUnknown(agent xapi.IFI) error {
	return fault.New(fault.NotFound, "actor_unknown", "No person has the agent %s. Create the person first, and use the agent that is answered.", agent)
}

// findOwners returns whom each agent belongs to. On PostgreSQL it also marks those whose user name is taken; on SQLite the
// insert, which comes first, says so.
func findOwners(ctx context.Context, tx *db.Tx, batch []*minting) ([]owner, error) {
	owners := make([]owner, len(batch))
	if tx.Engine == db.SQLite {
		for i, m := range batch {
			if m.Kind != Minted {
				continue
			}
			o := &owners[i]
			err := tx.Each(ctx, ownerOfAgent, []any{m.caller.Org, m.Agent.IFI.Key()}, func(r *db.Rows) error { return r.Scan(&o.person, &o.state, &o.suspensions, &o.privileged) })
			if err != nil {
				return nil, err
			}
		}
		return owners, nil
	}
	n, orgs, agents, hashes := make([]int64, len(batch)), make([]int64, len(batch)), make([]string, len(batch)), make([][]byte, len(batch))
	for i, m := range batch {
		n[i], orgs[i], agents[i], hashes[i] = int64(i), int64(m.caller.Org), m.Agent.IFI.Key(), m.nameHash
	}
	err := tx.Ask(ctx, ownersOfAgents, []any{n, orgs, agents}, func(r *db.Rows) error {
		var i int
		var o owner
		err := r.Scan(&i, &o.person, &o.state, &o.suspensions, &o.privileged)
		owners[i] = o
		return err
	})
	if err != nil {
		return nil, err
	}
	err = tx.Ask(ctx, namesTaken, []any{n, hashes}, func(r *db.Rows) error {
		var i int
		var by id.CredentialID
		if err := r.Scan(&i, &by); err != nil {
			return err
		}
		batch[i].err = usernameTaken()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return owners, tx.Flush(ctx)
}
