// Package outbox is the one queue: what leaves the house is a job written in the transaction that causes it ([Queue.Put])
// and worked afterwards ([Queue.Work]), by whichever process is free. A job whose worker dies is worked again, so each is
// worked at least once; two workers never have one at the same time, as long as neither outlives its lease, and what a
// worker writes to the database at the end of its work counts only if it still holds it.
//
// A job is of a kind and may stand in a lane, whose jobs are worked one after another in the order they were put. A job is
// a message, gone once it is done, or comes again and again ([Result]). Failures are tried again, each time later, until
// the kind's limit makes the job a dead letter, which waits for an operator; one that can never succeed is one at once.
// Nothing is written while there is nothing to do.
//
// All times are the database's ([db.Engine.Clock]): the clocks of machines differ. The room knows no callers: those who put
// jobs check scopes and write the audit trail.
package outbox
