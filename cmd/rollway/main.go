// Command rollway gets people into learning content and keeps the record of what they did there.
//
// Human text goes to stderr, data to stdout. Exit status: 0 ok, 1 failed, 2 usage (the command line or the configuration must be
// changed), 3 done with problem rows.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"rollway/internal/app"
	"rollway/internal/fault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Commands is the whole command line.
type Commands struct {
	app.Config `group:"Settings, the same for all commands:"`
	ConfigFile string `name:"config" group:"Settings, the same for all commands:" help:"TOML file with values for any of these flags." placeholder:"FILE"`

	Serve          ServeCommand          `cmd:"" makes:"house" help:"Run the server."`
	Demo           DemoCommand           `cmd:"" makes:"house" apart:"" help:"Run a throw-away house with a sample course, a person and a service account, and print what to try. Of the settings it takes flags alone, and of the environment where to listen."`
	ServiceAccount ServiceAccountCommand `cmd:"" help:"Other systems' identities."`
	Org            OrgCommand            `cmd:"" help:"Organizations: the one called default, and those that people made by signing up."`
	Content        ContentCommand        `cmd:"" help:"What people can be launched into."`
	Person         PersonCommand         `cmd:"" help:"The people we know."`
	Attribute      AttributeCommand      `cmd:"" help:"Declared attributes of people."`
	Why            WhyCommand            `cmd:"" help:"Tell why a person does or does not exist."`
	Credential     CredentialCommand     `cmd:"" help:"Secrets that act for one person."`
	Statements     StatementsCommand     `cmd:"" help:"What was recorded: take it out, bring it in, send it on, prove it unchanged."`
	Mail           MailCommand           `cmd:"" name:"mail" help:"Messages that have not left, and whether any would."`
	SignUp         SignupCommand         `cmd:"" name:"signup" help:"People who make their own account."`
	Migrate        MigrateCommand        `cmd:"" help:"The database schema."`
	Doctor         DoctorCommand         `cmd:"" help:"Check the installation and say what to repair."`
	ShowConfig     ConfigCommand         `cmd:"" name:"config" help:"The configuration in force."`
	Version        VersionCommand        `cmd:"" help:"Print the version."`
}

// surroundings are what a command runs in.
type surroundings struct {
	context.Context
	config   app.Config
	settings *settings
	parsed   *kong.Context
	out, err io.Writer
}

const exitFailed, exitUsage, exitProblems = 1, 2, 3

// errProblems ends a command that is done but for rows it has told of.
var errProblems = errors.New("done, with problems")

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var commands Commands
	exited, code := false, 0
	settings := &settings{used: map[string]string{}}
	parser, err := kong.New(&commands, kong.Name("rollway"),
		kong.Description("Rollway gets people into learning content and keeps the record of what they did there.\n\nEvery flag is also an environment variable (ROLLWAY_ and the flag in capitals, - as _) and a key of the file --config names."),
		kong.Writers(out, errs), kong.Exit(func(c int) { exited, code = true, c }), kong.Resolvers(settings),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(errs, "rollway:", err)
		return exitFailed
	}
	if err := settings.readFor(parser, args); err != nil {
		fmt.Fprintln(errs, "rollway:", err)
		return exitUsage
	}
	if slices.Equal(args, []string{"--version"}) { // no flag of its own: ROLLWAY_VERSION may mean anything
		args = []string{"version"}
	}
	parsed, err := parser.Parse(args)
	if exited { // --help
		return code
	}
	if err != nil {
		fmt.Fprintln(errs, "rollway:", err)
		fmt.Fprintln(errs, "  usage:", helpFor(err))
		return exitUsage
	}
	commands.Config.Existing = !parsed.Selected().Tag.Has("makes")
	s := &surroundings{Context: ctx, config: commands.Config, settings: settings, parsed: parsed, out: out, err: errs}
	err = parsed.Run(s)
	if err == nil {
		return 0
	}
	code = report(errs, err)
	if code == exitUsage {
		fmt.Fprintln(errs, "  usage:", helpOn(parsed))
	}
	return code
}

// helpFor is the command that tells how the one is used whose arguments could not be read.
func helpFor(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		return helpOn(parse.Context)
	}
	return "rollway --help"
}

func helpOn(c *kong.Context) string {
	if command := c.Selected(); command != nil {
		return command.FullPath() + " --help"
	}
	return "rollway --help"
}

// report prints what went wrong: of a fault its message and fields, of anything else all of it, since the operator is
// the one who can repair it.
func report(w io.Writer, err error) int {
	f := fault.Of(err)
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "rollway: interrupted")
		return exitFailed
	}
	if f.Kind == fault.Internal {
		fmt.Fprintln(w, "rollway:", err)
		if errors.Is(err, errProblems) {
			return exitProblems
		}
		return exitFailed
	}
	fmt.Fprintln(w, "rollway:", f.Message)
	for _, field := range f.Fields {
		fmt.Fprintf(w, "  %s: %s\n", field.Name, field.Message)
	}
	if f.Kind == fault.Unavailable && err.Error() != f.Message {
		fmt.Fprintln(w, "  cause:", err)
	}
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailed
}

// given tells whether a flag stands on the command line itself.
func (s *surroundings) given(flag string) bool {
	return slices.ContainsFunc(s.parsed.Path, func(p *kong.Path) bool {
		return p.Flag != nil && p.Flag.Name == flag && !p.Resolved // Resolved: filled in from the environment or the file
	})
}

// house opens the installation, runs fn and closes it. Only a command that is tagged makes:"house" makes one where none is.
func (s *surroundings) house(fn func(*app.House) error) (err error) {
	h, err := app.Open(s, s.config)
	if err != nil {
		return usage(err)
	}
	defer func() {
		if closed := h.Close(); err == nil {
			err = closed
		}
	}()
	return fn(h)
}
