// Package launch takes a person into a piece of content: it finds or makes the registration, mints a credential that is
// good for that agent, registration and activity alone, and builds the address the browser is sent to.
//
// The credential that opened the launch is never handed on. A registration belongs to a person and an activity; its agent
// is fixed when it is made and used by every later launch of it. Files of a package are authorised by a path token, which
// lives exactly as long as the launch's credential.
package launch
