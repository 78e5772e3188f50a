// Package lrs is the record store: statements with voiding and queries, the documents of content (state, activity profiles,
// agent profiles) and what is known of activities, as xAPI 1.0.3 and 2.0 ask for it (Communication part, "Resources").
//
// A statement is kept as the bytes that will be served, in an order that is also the order of its property stored; beside
// it stand short keys, one for each thing it can be found by. DESIGN.md tells how order, keys, voiding and the
// X-Experience-API-Consistent-Through header hang together.
//
// Verbs take the version of the request where 1.0.3 and 2.0 differ. They write no audit entries: statements and documents
// are their own record.
package lrs
