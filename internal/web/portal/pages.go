package portal

// The pages, one struct each.

type welcomePage struct {
	frame
	Art       art
	MaySignUp bool
}

type signupPage struct {
	frame
	Purpose                      string
	Problems                     problems
	Email, First, Last, Password field
	Challenge                    int64 // number; 0 when there were too many
	Picture, Audio               string
	PictureWidth, PictureHeight  int
	Answer                       field
	AsksNames                    bool
	AsksNewsletter, Newsletter   bool
}

type checkPage struct {
	frame
	Address   string
	Problems  problems
	Code      field
	SentAgain bool
	Wait      int // seconds until it may be sent again
}

type confirmPage struct {
	frame
	Address, Action string
	Problems        problems
	Elsewhere, New  bool // this is not the browser that signed up; a new password is chosen
	Password        field
}

type confirmedPage struct {
	frame
	Already   bool
	Waiting   bool   // for somebody's approval
	Chooses   bool   // the password, by another mail
	In        bool   // they are signed in
	TrialEnds string // date, if there is a trial
}

type loginPage struct {
	frame
	Problems        problems
	Email, Password field
	Next            string
	Unconfirmed     bool
	MaySignUp       bool
}

// enterPage asks whoever is signed in whether they are the one whom a launch brings.
type enterPage struct {
	frame
	Text, Action, GoOn, Stay string
}

type passwordPage struct {
	frame
	Problems problems
	Email    field
	Sent     bool
}

type resetPage struct {
	frame
	Problems problems
	Password field
	Action   string
	Done     bool
}

type homePage struct {
	frame
	Name, Summary, Added string
	MayAdd               bool
	Courses              []card
	Art                  art
}

// card is a course on the page of courses.
type card struct {
	Title, Href, Do string
	Art             art
	progress
}

// progress is how far somebody is in a course.
type progress struct {
	State   string // new, begun, done, failed
	Words   string
	Bar     bool
	Percent int
	Saved   *moment
}

type addPage struct {
	frame
	Problems                         problems
	FileError                        string
	LinkTitle, LinkURL, LinkActivity field
}

type peoplePage struct {
	frame
	Summary string
	Groups  []group
	People  []someone
	More    string // address of the next page
}

type group struct {
	Name    string
	Default bool
}

// someone is a person in the list of people.
type someone struct {
	Initial, Name, Address, State string
	Owner                         bool
}

type recordsPage struct {
	frame
	Records []record
	More    string
	Art     art
}

type accountPage struct {
	frame
	Name, Address     string
	Ended, Changed    bool
	Devices           []device
	Login             string // what they sign in with; empty for whom only other systems bring
	Problems          problems
	Present, Password field
}

// device is a browser that somebody is signed in with.
type device struct {
	Network  string // that it was signed in from
	Since    *moment
	ID, Name string
	Seen     *moment
	Here     bool
}

type launchPage struct {
	frame
	Content, Check, SavedURL, Leave string
	SavedAt, SavedText              string
	Again, Alone                    string // addresses of this page, and of the course without it
}

// Troubles are what may be in the way of the course, and shows instead once app.js has found it.
func (p *launchPage) Troubles() []trouble {
	again, alone := choice{Name: p.say("problem.retry"), Href: p.Again}, choice{Name: p.say("trouble.alone"), Href: p.Alone}
	return []trouble{{"offline", again, choice{}}, {"unreachable", again, alone}, {"storage", alone, choice{}}}
}

// trouble is something in the way of a course, by its code, and what to do about it.
type trouble struct {
	Code       string
	Do, Either choice
}

type elsewherePage struct {
	frame
	Host, Content, Leave string
}

type returnedPage struct {
	frame
	Heading, Course, Again string
	progress
	Next *choice
}

type problemPage struct {
	frame
	Text, Code, Request, ISO, Time string
	Next                           *choice
}

type unsubscribePage struct {
	frame
	Action string
	Done   bool
}
