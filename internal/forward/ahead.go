package forward

import "rollway/internal/lrs"

// ahead is what an attempt is to send, in order, read as it is needed: few statements are held, however many point at one.
type ahead struct {
	rest  []lrs.Statement
	bytes int
	pull  func() (lrs.Statement, error, bool) // the next one; nil at the end
}

// fill reads on until no batch can take all of rest, so that what follows the batch is known.
func (a *ahead) fill() error {
	for a.pull != nil && (len(a.rest) < 2 || len(a.rest) <= batchStatements && a.bytes <= batchBytes) {
		st, err, ok := a.pull()
		if err != nil {
			return err
		}
		if !ok {
			a.pull = nil
			return nil
		}
		a.rest = append(a.rest, st)
		a.bytes += len(st.JSON)
	}
	return nil
}

// shift takes the first one off.
func (a *ahead) shift() lrs.Statement {
	st := a.rest[0]
	a.rest = a.rest[1:]
	a.bytes -= len(st.JSON)
	return st
}
