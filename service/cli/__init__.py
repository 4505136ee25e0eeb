"""The command line: `governor`.

Each command lives in a module that is imported only when it is called, so that `governor --help` answers at once although
the ad platforms' SDKs are heavy. Exit status: 0 fine, 1 something failed, 2 bad input or configuration.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from service.core.errors import GovernorError, InputError, NotFoundError

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("service.cli.demo:demo", "The main job against a sandbox of two clinics, from forecast to applied changes."),
    "init": ("service.cli.init:init", "Write a clinic's first rule file from its live services, campaigns and budgets."),
    "doctor": ("service.cli.doctor:doctor", "Check everything a clinic's ad budgets will depend on; changes nothing."),
    "evaluate": ("service.cli.evaluate:evaluate", "One pass now: observe, decide, apply."),
    "forecast": ("service.cli.forecast:forecast", "What a clinic can sell in the next 14 days."),
    "serve": ("service.cli.serve:serve", "The API and the hourly run in one process."),
    "worker": ("service.cli.worker:worker", "The hourly run of clinics that become due, shared with other workers by Redis."),
    "rules": ("service.cli.rules:rules", "Check and test rule files, try them on the past; print their JSON Schema."),
    "plans": ("service.cli.plans:plans", "What waits for a person's yes or no."),
    "approve": ("service.cli.plans:approve", "Say yes to what a decision, or a run's whole plan, asks."),
    "reject": ("service.cli.plans:reject", "Say no to it."),
    "hold": ("service.cli.people:hold", "Leave a clinic, service or campaign alone until further notice."),
    "unhold": ("service.cli.people:unhold", "End a hold."),
    "readopt": ("service.cli.people:readopt", "Hand a campaign that somebody changed back to the rules."),
    "restore": (
        "service.cli.people:restore",
        "Put base budgets back and end our own pauses, wherever they are still in force.",
    ),
    "audit": ("service.cli.audit:audit", "Show, verify and export the ledger."),
    "replay": ("service.cli.replay:replay", "Compute a stored run again and compare."),
    "notify": ("service.cli.notify:notify", "Try the channels that notices go out through."),
    "keys": ("service.cli.keys:keys", "API keys: create, list, revoke."),
    "migrate": ("service.cli.migrate:migrate", "Bring the database up to this version, before anything is started on it."),
    "sandbox": ("service.cli.sandbox:sandbox", "Cliniko, Google Ads and Meta as loopback servers over one clinic world."),
}


class Lazy(click.Group):
    """A group whose commands are imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="ad-spend-governor")
def governor() -> None:
    """Hold ad budgets against the appointments a clinic can actually sell."""


def main() -> None:
    """Run the command line; what went wrong is a message on standard error, never a traceback."""
    try:
        sys.exit(governor(standalone_mode=False) or 0)  # click hands back the status of an Exit
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (InputError, NotFoundError) as error:
        _fail(str(error), 2)
    except GovernorError as error:
        _fail(str(error), 1)
    except Exception as error:  # noqa: BLE001 - nobody foresaw it: the log has all of it, without secrets
        _crashed(error)
        _fail(f"{type(error).__name__}: this is a defect of the program; what is logged above tells more", 1)


def _fail(message: str, status: int) -> None:
    from service.logs import redacted  # noqa: PLC0415 - only what fails needs it

    click.echo(redacted(message), err=True)
    sys.exit(status)


def _crashed(error: Exception) -> None:
    import structlog  # noqa: PLC0415 - only what fails needs it

    from service.logs import configure  # noqa: PLC0415

    configure()
    structlog.get_logger(__name__).error("command_crashed", exc_info=error)
