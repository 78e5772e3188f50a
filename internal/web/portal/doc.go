// Package portal is the door for people: pages to sign up, confirm an address, sign in, see one's courses and take them,
// and, for owners of an organization, to add courses and see people and what they did.
//
// Every page works without scripts; app.js only helps. Texts live in words/, one file a language; a page is a template in
// pages/ with a struct of its own. The door decodes a request, calls one verb of a room and renders; it holds no rule.
package portal
