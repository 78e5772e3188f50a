package portal

import (
	"slices"
	"strings"
	"time"

	"rollway/internal/lrs"
)

var moonlight = time.Date(2026, 11, 23, 20, 15, 0, 0, time.UTC)

// framed is the frame of a fixture: of somebody who is not signed in, of a learner, or of an owner.
func framed(lang, title string, who *person, tab string) frame {
	w := catalogue[lang]
	if w.has(title) {
		title = w.say(title)
	}
	return frame{words: w, Title: title, Path: "/fixture", Person: who, tab: tab, now: moonlight}
}

var (
	learner = &person{Name: "Ada Lovelace"}
	owner   = &person{Name: "Ada Lovelace", MayAdd: true, SeesPeople: true, SeesStatements: true}
)

// fixtures are the pages as people see them, in all that they may show.
func fixtures(lang string) map[string]page {
	w := catalogue[lang]
	all := map[string]page{}
	outside(all, lang, w)
	confirming(all, lang, w)
	inside(all, lang)
	around(all, lang, w)
	overlong(all)
	return all
}

// What people and tools call things may be longer than anybody thought, and without a place to break.
const (
	longWord    = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
	longTitle   = longWord + " and everything else that those who work in the old building by the river have to know before they begin"
	longAddress = "wolfeschlegelsteinhausenbergerdorff.the.elder.of.philadelphia@a-host-name-of-many-letters.departments.example.org"
	longPath    = "A_very_long_name_of_a_folder_that_an_authoring_tool_made_of_a_title/another_long_name_without_a_blank_in_it/index.html"
)

// overlong are pages with what is too long.
func overlong(all map[string]page) {
	home := *all["home-owner"].(*homePage)
	home.Name, home.Added, home.Courses = longWord, longTitle, slices.Clone(home.Courses)
	for i := range home.Courses {
		home.Courses[i].Title = longTitle[:len(longTitle)-20*i]
	}
	all["home-long"] = &home
	people := *all["people"].(*peoplePage)
	people.Groups = []group{{longTitle, true}, {longAddress, false}}
	people.People = []someone{{"R", longTitle, longAddress, people.People[1].State, true}, {"R", longAddress, "", people.People[2].State, false}}
	all["people-long"] = &people
	records := *all["records"].(*recordsPage)
	records.Records = []record{{"W", longAddress, longWord, longTitle, records.Records[1].Result, records.Records[0].When}}
	all["records-long"] = &records
	account := *all["account"].(*accountPage)
	account.Name, account.Address, account.Devices = longTitle, longAddress, slices.Clone(account.Devices)
	account.Devices[1].Name = longAddress
	all["account-long"] = &account
	returned := *all["returned"].(*returnedPage)
	returned.Title, returned.Course, returned.Next = longTitle, longTitle, &choice{Name: longTitle, Href: "/launch"}
	all["returned-long"] = &returned
	launch := *all["launch"].(*launchPage)
	launch.Title = longTitle
	all["launch-long"] = &launch
	elsewhere := *all["elsewhere"].(*elsewherePage)
	elsewhere.Title, elsewhere.Host = longTitle, longAddress
	all["elsewhere-long"] = &elsewhere
	check := *all["check-wrong"].(*checkPage)
	check.Address = longAddress
	all["check-long"] = &check
	add := *all["add"].(*addPage)
	add.FileError = add.errorOf("zip_ratio", "file", longPath, "n", 100)
	add.Problems = problems{{Field: "file", Text: add.FileError}}
	all["add-long"] = &add
}

// templateOf is the name of the template that a fixture is rendered with.
func templateOf(fixture string) string { name, _, _ := strings.Cut(fixture, "-"); return name }

func outside(all map[string]page, lang string, w *words) {
	all["welcome"] = &welcomePage{frame: framed(lang, "home.title", nil, ""), Art: scene(), MaySignUp: true}

	f := framed(lang, "signup.title", nil, "")
	signup := signupPage{frame: f, Purpose: w.say("signup.own"), Email: f.email(""), First: f.name("first", "given-name", ""), Last: f.name("last", "family-name", ""),
		Password: f.newPassword("field.password", 15), Challenge: 7, Picture: "/signup/picture/7", Audio: "/signup/audio/7", PictureWidth: 300, PictureHeight: 80,
		Answer: field{ID: "answer", Hint: "-"}, AsksNames: true, AsksNewsletter: true}
	all["signup"] = &signup
	wrong := signup
	wrong.Email.Value, wrong.First.Value, wrong.Newsletter = "ada@example", "Ada", true
	wrong.Problems = problems{{Field: "email", Text: w.say("error.bad_address")}, {Field: "last", Text: w.say("error.invalid_name")}, {Field: "password", Text: w.say("error.password_common")}, {Field: "answer", Text: w.say("error.challenge_failed")}}
	wrong.Problems.on(&wrong.Email, &wrong.First, &wrong.Last, &wrong.Password, &wrong.Answer)
	all["signup-wrong"] = &wrong
	late := signup
	late.Challenge, late.Purpose, late.AsksNewsletter = 0, w.say("signup.join"), false
	all["signup-late"] = &late

	f = framed(lang, "check.title", nil, "")
	check := checkPage{frame: f, Address: "ada.lovelace@gmail.com", Code: f.code("")}
	all["check"] = &check
	again := check
	again.SentAgain, again.Wait = true, 40
	again.Problems = problems{{Field: "code", Text: w.say("error.validation_invalid")}}
	again.Problems.on(&again.Code)
	all["check-wrong"] = &again

	f = framed(lang, "login.title", nil, "")
	all["login"] = &loginPage{frame: f, Email: f.email(""), Password: f.password(), MaySignUp: true}
	all["login-wrong"] = &loginPage{frame: f, Email: f.email("ada@example.org"), Password: f.password(), Next: "/people", Unconfirmed: true, Problems: problems{{Text: w.say("error.not_validated")}}}
	f = framed(lang, "password.title", nil, "")
	all["password"] = &passwordPage{frame: f, Email: f.email("")}
	all["password-sent"] = &passwordPage{frame: f, Email: f.email("ada@example.org"), Sent: true}
	f = framed(lang, "reset.title", nil, "")
	all["reset"] = &resetPage{frame: f, Password: f.newPassword("field.password.new", 15), Action: "/password/abc"}
	all["reset-done"] = &resetPage{frame: f, Done: true}
	f = framed(lang, "enter.title", learner, "")
	all["enter"] = &enterPage{frame: f, Text: f.say("enter.text", "here", "Ada Lovelace", "other", "grace.brewster.murray.hopper@a-rather-long-host-name.example.org"), Action: "/api/activities/launch?activityId=x",
		GoOn: f.say("enter.go", "other", "grace.brewster.murray.hopper@a-rather-long-host-name.example.org"), Stay: f.say("enter.stay", "here", "Ada Lovelace")}
	all["unsubscribe"] = &unsubscribePage{frame: framed(lang, "unsubscribe.title", nil, ""), Action: "/unsubscribe/abc"}
	all["unsubscribe-done"] = &unsubscribePage{frame: framed(lang, "unsubscribe.done", nil, ""), Done: true}
}

func confirming(all map[string]page, lang string, w *words) {
	all["confirm"] = &confirmPage{frame: framed(lang, "confirm.title", nil, ""), Address: "ada.lovelace@example.org", Action: "/confirm/4/abc"}
	f := framed(lang, "confirm.title", nil, "")
	confirm := confirmPage{frame: f, Address: "ada.lovelace@example.org", Action: "/confirm/4/abc", Elsewhere: true, Password: f.password()}
	all["confirm-elsewhere"] = &confirm
	wrongly := confirm
	wrongly.Problems = problems{{Field: "password", Text: w.say("error.signup_password")}}
	wrongly.Problems.on(&wrongly.Password)
	all["confirm-wrong"] = &wrongly
	anew := confirm
	anew.New, anew.Password = true, f.newPassword("field.password.new", 15)
	all["confirm-new"] = &anew
	all["confirmed"] = &confirmedPage{frame: framed(lang, "confirmed.title", nil, ""), TrialEnds: w.Day(moonlight)}
	all["confirmed-already"] = &confirmedPage{frame: framed(lang, "confirmed.already", nil, ""), Already: true}
	all["confirmed-choose"] = &confirmedPage{frame: framed(lang, "confirmed.title", nil, ""), Chooses: true}
	all["confirmed-in"] = &confirmedPage{frame: framed(lang, "confirmed.title", nil, ""), In: true, TrialEnds: w.Day(moonlight)}
	all["confirmed-waiting"] = &confirmedPage{frame: framed(lang, "confirmed.title", nil, ""), Waiting: true}
}

// counts is a text with a number; that it cannot be made is a fault of the catalogue.
func counts(f frame, key string, n int) string {
	text, err := f.N(key, n)
	if err != nil {
		panic(err)
	}
	return text
}

func inside(all map[string]page, lang string) {
	f := framed(lang, "home.title", learner, "courses")
	at := f.at(moonlight.Add(-3 * time.Hour))
	cards := []card{
		{"Knots in ten minutes", "/launch?activity=a", f.say("home.continue"), artOf("knots"), progress{State: "begun", Words: f.say("state.begun.score", "percent", f.Percent(40)), Bar: true, Percent: 40, Saved: at}},
		{"Fire safety for everybody who works in the old building", "/launch?activity=b", f.say("home.start"), artOf("fire safety"), progress{State: "new", Words: f.say("state.not_begun")}},
		{"Donaudampfschifffahrtsgesellschaftsgeschichte", "/launch?activity=c", f.say("home.review"), artOf("c"), progress{State: "done", Words: f.say("state.passed.score", "percent", f.Percent(92)), Saved: f.at(moonlight.Add(-20 * 24 * time.Hour))}},
		{"Bees", "/launch?activity=d", f.say("home.continue"), artOf("bee"), progress{State: "failed", Words: f.say("state.failed.score", "percent", f.Percent(35)), Saved: f.at(moonlight.Add(-2 * 24 * time.Hour))}},
		{"A very warm welcome", "/launch?activity=e", f.say("home.start"), artOf("w"), progress{State: "new", Words: f.say("state.not_begun")}},
	}
	counted := counts(f, "home.begun", 2)
	all["home"] = &homePage{frame: f, Name: "Ada", Summary: counted, Courses: cards}
	all["home-empty"] = &homePage{frame: f, Summary: f.say("home.none"), Art: artOf("")}
	f = framed(lang, "home.title", owner, "courses")
	all["home-owner"] = &homePage{frame: f, Name: "Ada", Summary: counted, Courses: cards, MayAdd: true, Added: "Knots in ten minutes"}
	all["home-first"] = &homePage{frame: f, Name: "Ada", Summary: f.say("home.none"), MayAdd: true, Art: artOf("")}

	f = framed(lang, "add.title", owner, "courses")
	link := func(id, hint, value string) field {
		return field{ID: id, Label: f.say("add.link." + id), Hint: hint, Value: value, Type: "text", Required: true}
	}
	add := addPage{frame: f, LinkTitle: link("title", "", ""), LinkURL: link("url", "", ""), LinkActivity: link("activity", f.say("add.link.activity.hint"), "")}
	all["add"] = &add
	wrong := add
	wrong.FileError = f.say("error.file_missing")
	wrong.Problems = problems{{Field: "file", Text: wrong.FileError}, {Field: "url", Text: f.say("error.link_url")}, {Text: "The file `a` is a link.", English: true}}
	wrong.Problems.on(&wrong.LinkURL)
	all["add-wrong"] = &wrong

	f = framed(lang, "people.title", owner, "people")
	counted = counts(f, "people.summary", 3)
	all["people"] = &peoplePage{frame: f, Summary: counted, Groups: []group{{"not managed fleet", true}, {"Night shift", false}}, People: []someone{
		{"A", "Ada Lovelace", "ada.lovelace@example.org", "", true},
		{"G", "Grace Hopper", "grace.brewster.murray.hopper@a-rather-long-host-name.example.org", f.say("people.pending"), false},
		{"·", f.say("people.unnamed"), "", f.say("people.suspended"), false},
	}, More: "/people?after=x"}

	f = framed(lang, "records.title", owner, "records")
	all["records"] = &recordsPage{frame: f, Records: sentencesOf(&f), More: "/records?more=x"}
	all["records-empty"] = &recordsPage{frame: f, Art: artOf("records")}

	f = framed(lang, "account.title", learner, "account")
	present := f.password()
	present.ID, present.Label = "present", f.say("field.password.present")
	account := accountPage{frame: f, Name: "Ada Lovelace", Address: "ada.lovelace@example.org", Login: "ada.lovelace@example.org", Ended: true, Changed: true, Present: present, Password: f.newPassword("field.password.new", 15), Devices: []device{
		{ID: "1", Name: f.say("account.device", "browser", "Firefox", "system", "Linux"), Since: at, Seen: at, Here: true, Network: "192.0.2.1"},
		{ID: "2", Name: f.say("account.device", "browser", "Safari", "system", "iPhone"), Since: f.at(moonlight.Add(-26 * 24 * time.Hour)), Seen: f.at(moonlight.Add(-26 * time.Hour)), Network: "2001:db8:85a3:1234::/64"},
		{ID: "3", Name: f.say("account.device.unknown"), Since: at, Seen: f.at(moonlight.Add(-time.Second))},
	}}
	all["account"] = &account
	refused := account
	refused.Devices, refused.Ended, refused.Changed = refused.Devices[:1], false, false
	refused.Problems = problems{{Field: "present", Text: f.say("error.present_password")}, {Field: "password", Text: f.say("error.password_common")}}
	refused.Problems.on(&refused.Present, &refused.Password)
	all["account-wrong"] = &refused
	all["account-brought"] = &accountPage{frame: f, Name: "Ada Lovelace", Devices: account.Devices[:1]}
}

// sentencesOf are statements of several kinds in words.
func sentencesOf(f *frame) []record {
	var all []record
	for _, text := range []string{
		`{"actor":{"name":"Ada Lovelace","mbox":"mailto:ada@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/passed","display":{"en-US":"passed","de":"bestand"}},"object":{"id":"https://example.com/knots","definition":{"name":{"en":"Knots in ten minutes"}}},"result":{"score":{"scaled":0.92},"success":true}}`,
		`{"actor":{"account":{"homePage":"https://example.com","name":"grace"}},"verb":{"id":"http://adlnet.gov/expapi/verbs/answered"},"object":{"id":"https://example.com/knots/question-3"},"result":{"success":false}}`,
		`{"actor":{"objectType":"Group","member":[]},"verb":{"id":"https://example.com/v#experienced"},"object":{"objectType":"StatementRef","id":"6f1c2a58-0000-4000-8000-000000000001"},"result":{"success":true}}`,
	} {
		r, err := f.sentence(lrs.Statement{Stored: moonlight.Add(-time.Duration(len(all)) * 50 * time.Minute), JSON: []byte(text)}, func(string) (string, error) { return "", nil })
		if err != nil {
			panic(err)
		}
		all = append(all, r)
	}
	return all
}

func around(all map[string]page, lang string, w *words) {
	all["launch"] = &launchPage{frame: framed(lang, "Knots in ten minutes, and a long title that has to be cut", learner, ""), Content: "/content", Check: "/check-ok", Again: "/launch", Alone: "/launch", SavedURL: "/saved", Leave: "/launch/returned", SavedText: w.say("launch.unsaved")}
	blocked := *all["launch"].(*launchPage)
	blocked.Check = "/check-blocked"
	all["launch-blocked"] = &blocked
	all["elsewhere"] = &elsewherePage{frame: framed(lang, "Knots in ten minutes", learner, ""), Host: "courses.example.com", Content: "/launch/open", Leave: "/launch/returned"}
	f := framed(lang, "Knots in ten minutes", learner, "")
	all["returned"] = &returnedPage{frame: f, Heading: w.say("returned.saved"), Course: "Knots in ten minutes", Again: "/launch?activity=a",
		progress: progress{State: "begun", Words: w.say("state.begun.score", "percent", w.Percent(40)), Bar: true, Percent: 40, Saved: f.at(moonlight)}, Next: &choice{Name: "Fire safety", Href: "/launch?activity=b"}}
	all["returned-nothing"] = &returnedPage{frame: f, Heading: w.say("returned.nothing"), Course: "Knots in ten minutes", Again: "/launch?activity=a", progress: progress{State: "new", Words: w.say("state.not_begun")}}
	all["problem"] = &problemPage{frame: framed(lang, "problem.link_gone", nil, ""), Text: w.say("problem.link_gone.text"), Code: "link_gone", Request: "01a05f2e-7c3b-7000-8000-0123456789ab", ISO: moonlight.Format(time.RFC3339), Time: w.clock(moonlight),
		Next: &choice{Name: w.say("problem.new_link"), Href: "/signup"}}
	all["problem-link"] = &problemPage{frame: framed(lang, "problem.launch_link", owner, ""), Text: w.say("problem.launch_link.text"), Code: "credential_invalid", Request: "01a05f2e-7c3b-7000-8000-0123456789ab", Time: w.clock(moonlight),
		Next: &choice{Name: w.say("problem.home"), Href: "/"}}
}
