// Package lrsapi is the door for content and for clients of the record store: the resources of xAPI 1.0.3 and 2.0 below
// /xapi/, with the version told by each request's header (Communication part of the specification).
//
// Pages of any origin may ask (CORS), a 401 never challenges for Basic, and every answer, errors included, says which
// version it is in. Errors have the body that the rest of the installation's integrator API uses.
package lrsapi
