package lrs

import (
	"context"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// maxChain bounds how far references are followed: from a statement to the one it points at, to the one that points at.
const maxChain = 16

// node is a statement with what it is found by.
type node struct {
	pos  int64
	keys []int64
	next id.StatementID // what it points at; zero if at none
}

// follow sees to statements that point at others, new ones and those that waited for a new one: voiding takes effect,
// whichever comes first, and a statement is found by the keys of those it leads to (Communication 2.1.4).
func (w *writing) follow(ctx context.Context) error {
	for i, e := range w.new {
		if e.facts.Object != xapi.KindStatementRef {
			continue
		}
		target := ref{w.orgs[i], id.StatementID(e.facts.Ref)}
		if e.facts.Voids {
			if err := w.void(ctx, target, e.put); err != nil {
				return err
			}
		}
		chain, err := w.chain(ctx, target, e.pos)
		if err != nil {
			return err
		}
		w.inherit(w.orgs[i], e.pos, chain)
		if len(w.inherited) > MaxInherited {
			return fault.New(fault.TooLarge, "too_many_references", "The statements of this request point at others with more than %d names together. Send fewer at once.", MaxInherited)
		}
	}
	for _, there := range w.waiting {
		e := w.fresh[there]
		if e == nil {
			continue
		}
		if err := w.arrived(ctx, there, e); err != nil {
			return err
		}
	}
	return nil
}

// void marks a statement as voided, if it is there and is not a voiding one itself. (A voiding statement that points at
// another voiding one is kept and has no effect: Data 2.3.2.) Voiding what another authority vouches for, or what is not
// there yet, is for those who may do all.
func (w *writing) void(ctx context.Context, target ref, p *put) error {
	e, k := w.fresh[target], w.known[target]
	own := e != nil && e.put.authority.hash == p.authority.hash || k != nil && k.by == p.authority.hash
	if !own && !p.voidsAny {
		return fault.New(fault.Forbidden, "foreign_statement", "Voiding a statement that this caller did not store needs the scope all.")
	}
	if e != nil {
		e.voided = !e.facts.Voids
		return nil
	}
	if k != nil && !k.voids {
		return w.tx.Defer(ctx, "UPDATE statements SET voided = ? WHERE org_id = ? AND pos = ?", true, int64(target.org), k.pos)
	}
	return nil
}

// chain lists what a statement leads to, nearest first. It ends where one is not there, at a circle or at maxChain; skip is
// the position of the statement that the chain is for.
func (w *writing) chain(ctx context.Context, at ref, skip int64) ([]node, error) {
	var chain []node
	for !at.id.IsZero() && len(chain) < maxChain {
		n, err := w.node(ctx, at)
		if err != nil || n.pos == 0 || n.pos == skip {
			return chain, err
		}
		for _, c := range chain {
			if c.pos == n.pos {
				return chain, nil
			}
		}
		chain = append(chain, n)
		at.id = n.next
	}
	return chain, nil
}

func (w *writing) node(ctx context.Context, at ref) (node, error) {
	if e := w.fresh[at]; e != nil {
		return w.freshNode(e), nil
	}
	k := w.known[at]
	if k == nil {
		if err := w.ask(ctx, [][]any{{int64(at.org), at.id}}); err != nil {
			return node{}, err
		}
		if err := w.answers(ctx); err != nil {
			return node{}, err
		}
		if k = w.known[at]; k == nil {
			return node{}, nil
		}
	}
	f, err := xapi.Read(k.body, xapi.V2) // what 1.0.3 takes, 2.0 takes too
	if err != nil {
		return node{}, err
	}
	n := node{pos: k.pos, keys: w.statementKeys(&f, nil)}
	if f.Object == xapi.KindStatementRef {
		n.next = id.StatementID(f.Ref)
	}
	return n, nil
}

func (w *writing) freshNode(e *entry) node {
	n := node{pos: e.pos, keys: e.keys}
	if e.facts.Object == xapi.KindStatementRef {
		n.next = id.StatementID(e.facts.Ref)
	}
	return n
}

func (w *writing) inherit(org id.OrgID, pos int64, chain []node) {
	for _, n := range chain {
		for _, k := range n.keys {
			w.inherited = append(w.inherited, []any{int64(org), k, pos, n.pos})
		}
	}
}

var findPointers = db.NewLookup(`SELECT s.id, s.pos, s.voids FROM @ n
	JOIN statement_refs r ON r.org_id = n.org_id AND r.target = n.id
	JOIN statements s ON s.org_id = r.org_id AND s.pos = r.pos`, statementName...)

// arrived tells the statements that waited for this one, and those that point at them.
func (w *writing) arrived(ctx context.Context, there ref, e *entry) error {
	chain := []node{w.freshNode(e)}
	more, err := w.chain(ctx, ref{there.org, chain[0].next}, e.pos)
	if err != nil {
		return err
	}
	chain = append(chain, more...)
	asked := [][]any{{int64(there.org), there.id}}
	seen := map[int64]bool{e.pos: true}
	for depth := 0; len(asked) > 0 && depth < maxChain; depth++ {
		var next [][]any
		err := findPointers.Ask(ctx, w.tx, asked, func(r *db.Rows) error {
			var pointer id.StatementID
			var pos int64
			var voids bool
			if err := r.Scan(&pointer, &pos, &voids); err != nil {
				return err
			}
			if depth == 0 && voids && !e.facts.Voids {
				e.voided = true
			}
			if !seen[pos] && len(w.inherited) < MaxInherited { // beyond, a flood of pointers is not found by what it points at
				seen[pos] = true
				w.inherit(there.org, pos, chain)
				next = append(next, []any{int64(there.org), pointer})
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := w.tx.Flush(ctx); err != nil {
			return err
		}
		asked = next
	}
	return nil
}
