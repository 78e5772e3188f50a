package forward

import "rollway/internal/lrs"

// doubtsMost is how many statements in a row are tried when none is taken: as many as an attempt reads.
const doubtsMost = batchStatements

// doubts are statements that one after another get a doubtful answer. It is about them if the receiver takes a later one;
// until it does, the forward keeps its place before the first, as with any trouble. So whoever may store nothing for a while
// passes nothing over.
type doubts struct {
	doubted []Refusal
	first   error    // the trouble with the first of them
	before  progress // what had come of the attempt by then
}

// doubt goes on behind a statement, to see what becomes of the next.
func (a *attempt) doubt(st lrs.Statement, said answer) error {
	if len(a.doubted) == 0 {
		a.before, a.first = a.progress, said.trouble(" to the statement "+st.ID.String()+", which is passed over when a later one is taken")
	}
	a.pass()
	// It is sent once more by itself: the receiver may have begun to take statements just behind this one.
	a.doubted = append(a.doubted, Refusal{Statement: st.ID, Status: said.status, Answer: said.said(), Again: true})
	if len(a.doubted) == doubtsMost {
		return a.first
	}
	return nil
}

// resolve is called when a statement is taken.
func (a *attempt) resolve() {
	a.progress.refused = append(a.progress.refused, a.doubted...)
	a.doubts = doubts{}
}

// undoubted goes back before the first doubt that is left at the end of an attempt.
func (a *attempt) undoubted(failed error) error {
	if len(a.doubted) == 0 {
		return failed
	}
	a.progress = a.before
	if failed == nil {
		failed = a.first
	}
	return failed
}
