// Package access says who is calling and what they may do: callers, scopes, service accounts, the grants of people, the
// audit trail, and the changes (revocations, suspensions) that other processes must hear of.
//
// Each domain verb takes a [Caller], asks it with [Caller.Require] and writes its audit entry with [Audit] in the
// transaction that does the work.
package access
