// Package forward follows the record store and sends statements on to other record stores: those a filter selects, in the
// order of the store, with their ids.
//
// Each [Forward] is one job of the outbox that comes again and again. One attempt reads the next statements after the
// forward's place, sends them in one request and moves the place in the transaction that ends the attempt. So a statement is
// sent at least once, and since its id stays, a receiver keeps it once. A receiver that is down keeps the place where it is.
// A statement that the receiver will never take is noted as a [Refusal] and passed over.
//
// A voided statement is sent as it was; the one that voids it follows and voids it there too.
package forward
