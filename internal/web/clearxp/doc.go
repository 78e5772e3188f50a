// Package clearxp is the door for integrators: the /api dialect of ClearXP's guide "Account Provisioning and Launch".
//
// It decodes a request, calls one verb of the domain and answers in the documented shapes; every rule lives in the rooms
// below. What differs from ClearXP's own documents, and why, stands in docs/clearxp.md.
package clearxp
