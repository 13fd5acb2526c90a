"""The page of a web server of the rig: the persona's description is its title."""

import html
import ssl


def of(plate):
    """A page as devices have them; its title is escaped as a page must have it."""
    title = html.escape(plate["description"])
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"


VERSIONS = {"tls12": ssl.TLSVersion.TLSv1_2, "tls13": ssl.TLSVersion.TLSv1_3}
