package glpi

import (
	"rollway/internal/challenge"
	"rollway/internal/directory"
	"rollway/internal/signin"
	"rollway/internal/signup"
)

// Door answers the dialect. All fields but Config are required.
type Door struct {
	Config     Config
	Public     string // what addresses in answers are built from
	Directory  *directory.Directory
	Challenges *challenge.Challenger
	Signin     *signin.Signin
	Signup     *signup.Signup
}

// Config is how the dialect is spoken. The zero value works.
type Config struct {
	Off           bool   // every request is refused
	Lenient       bool   // people who sign up may take short and common passwords
	CreatedStatus int    // of creations: 200 or 201; 0 is 200 when the session token came in the query string, as the guide has it, and otherwise 201
	AppToken      string // demanded of every request; while it is empty, one that is sent is wrong
	NoPasswords   bool   // people cannot open a session with their password
	NeedType      bool   // initSession, and requests with a body, need a Content-Type
}

// endpoint is a word at the first place of a path that names no itemtype.
type endpoint struct {
	name    string
	session bool // a session is needed
	acts    bool // it changes something whatever the verb
	answer  func(*Door, *ask) (answer, error)
}

var endpoints = byName([]endpoint{
	{"initSession", false, true, (*Door).initSession},
	{"killSession", true, true, (*Door).killSession},
	{"getFullSession", true, false, (*Door).fullSession},
	{"getMyProfiles", true, false, (*Door).myProfiles},
	{"getActiveProfile", true, false, (*Door).activeProfile},
	{"changeActiveProfile", true, true, (*Door).changeProfile},
	{"getMyEntities", true, false, (*Door).myEntities},
	{"getActiveEntities", true, false, (*Door).activeEntities},
	{"changeActiveEntities", true, true, (*Door).changeEntities},
	{"getGlpiConfig", true, false, (*Door).glpiConfig},
	{"lostPassword", false, true, (*Door).lostPassword},
	{"search", false, false, (*Door).search},
}, func(e endpoint) string { return e.name })

// itemtype is a kind of thing in GLPI. What is nil is refused to everybody.
type itemtype struct {
	name    string
	service bool // sessions of a service token may see it; all others belong to people
	open    bool // reading one needs no session
	add     func(*Door, *ask, map[string]any) (int64, error)
	change  func(*Door, *ask, int64, map[string]any) error
	list    func(*Door, *ask, span) ([]item, int, error)
	get     func(*Door, *ask, int64) (answer, error)
	below   map[string]func(*Door, *ask, int64, span) ([]item, int, error) // kinds of things that belong to one
}

var itemtypes = byName([]itemtype{
	{name: "PluginFlyvemdmdemoCaptcha", service: true, open: true, add: (*Door).addCaptcha, get: (*Door).captcha},
	{name: "PluginFlyvemdmdemoUser", service: true, add: (*Door).signUp},
	{name: "PluginFlyvemdmdemoAccountvalidation", service: true, change: (*Door).validate},
	{name: "Plugin", service: true, list: (*Door).plugins, get: (*Door).plugin},
	{name: "User", list: (*Door).users, get: (*Door).user, below: map[string]func(*Door, *ask, int64, span) ([]item, int, error){"useremail": (*Door).userEmails}},
	{name: "UserEmail", list: (*Door).myEmails, get: (*Door).userEmail},
	{name: "Entity", list: (*Door).entities, get: (*Door).entity},
	{name: "PluginFlyvemdmFleet", list: (*Door).fleets, get: (*Door).fleet},
}, func(t itemtype) string { return t.name })

func byName[T any](list []T, name func(T) string) map[string]*T {
	m := map[string]*T{}
	for i := range list {
		m[folded(name(list[i]))] = &list[i]
	}
	return m
}
