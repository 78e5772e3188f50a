package xapi

import "slices"

// Read checks the text of one statement, by the rules of one line of the
// standard, and reports its facts. The error is an [*Error].
func Read(src []byte, line Version) (Facts, error) {
	var r Reader
	defer r.release()
	f, err := r.Read(src, line)
	if err != nil {
		return Facts{}, err
	}
	return *f, nil
}

// ReadBatch checks the text of one statement or of an array of statements. All
// are valid, and no two have the same id, or there is an error, an [*Error].
func ReadBatch(src []byte, line Version) ([]Facts, error) {
	var r Reader
	defer r.release()
	return r.ReadBatch(src, line)
}

// Reader reads statements like [Read] and [ReadBatch] and keeps its memory for
// the next time: what it returned is valid until it is used again. The zero
// value is ready to use. A Reader is not for concurrent use.
type Reader struct {
	facts  []Facts
	ids    map[UUID]struct{}
	cursor *cursor
}

// Read is the function [Read] with the memory of r.
func (r *Reader) Read(src []byte, line Version) (*Facts, error) {
	c := r.open(src, line)
	if !c.begin() || !c.statement(r.add(line)) || !c.done() {
		return nil, c.err
	}
	return &r.facts[0], nil
}

// ReadBatch is the function [ReadBatch] with the memory of r.
func (r *Reader) ReadBatch(src []byte, line Version) ([]Facts, error) {
	c := r.open(src, line)
	if !c.begin() {
		return nil, c.err
	}
	if c.kind != '[' {
		if !c.is('{', &ruleBatch) || !c.statement(r.add(line)) || !c.done() {
			return nil, c.err
		}
		return r.facts, nil
	}
	clear(r.ids)
	for c.elem() {
		f := r.add(line)
		if !c.statement(f) {
			return nil, c.err
		}
		if f.HasID && r.seen(f.ID) {
			c.failAt("/id", f.ID.String(), &ruleBatchID)
			return nil, c.err
		}
	}
	if c.err != nil || !c.done() {
		return nil, c.err
	}
	return r.facts, nil
}

func (r *Reader) open(src []byte, line Version) *cursor {
	r.facts = r.facts[:0]
	if r.cursor == nil {
		r.cursor = openCursor(src, line)
	} else {
		r.cursor.reset(src, line)
	}
	return r.cursor
}

func (r *Reader) release() { r.cursor.close() }

// add makes room for one more statement, with the slices of an earlier one.
func (r *Reader) add(line Version) *Facts {
	n := len(r.facts)
	r.facts = slices.Grow(r.facts, 1)[:n+1]
	f := &r.facts[n]
	f.reset(line)
	return f
}

// seen tells whether the batch had this id before; the last statement is the
// one that has it now.
func (r *Reader) seen(id UUID) bool {
	earlier := r.facts[:len(r.facts)-1]
	if len(earlier) < 16 {
		for i := range earlier {
			if earlier[i].HasID && earlier[i].ID == id {
				return true
			}
		}
		return false
	}
	if r.ids == nil {
		r.ids = make(map[UUID]struct{})
	}
	if len(r.ids) == 0 {
		for i := range earlier {
			if earlier[i].HasID {
				r.ids[earlier[i].ID] = struct{}{}
			}
		}
	}
	_, twice := r.ids[id]
	r.ids[id] = struct{}{}
	return twice
}
