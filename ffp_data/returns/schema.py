"""The XML schema (XSD 1.0) that a layout amounts to: order, number, type, length and codes of elements.

Whether a value must be there is left to the rules, which name the child and say why: a schema that
refused a missing ethnicity would hide rule 4220. DfE's own schema was not available to the authors.
"""

from __future__ import annotations

from lxml import etree

from ffp_data.returns.layout import Container, Item, Layout, Module, Node, Values

XS = "http://www.w3.org/2001/XMLSchema"
_TYPES = {
    "text": "xs:string",
    "upn": "xs:string",
    "code": "xs:string",
    "date": "xs:date",
    "boolean": "xs:boolean",
    "integer": "xs:nonNegativeInteger",
    "datetime": "xs:dateTime",
    "year": "xs:gYear",
}


def xml_schema(layout: Layout) -> bytes:
    """The schema document of a layout; equal layouts give equal bytes."""
    root = etree.Element(f"{{{XS}}}schema", nsmap={"xs": XS})
    note = etree.SubElement(_add(root, "annotation"), f"{{{XS}}}documentation")
    note.text = f"{layout.collection} {layout.year}. {layout.status.strip()}"
    if layout.provisional:
        note.text += f" PROVISIONAL: {layout.provisional.strip()}"
    message = _sequence(_add(root, "element", name="Message"))
    _element(message, layout.header_module, layout, once=True)
    children = _sequence(_add(message, "element", name="Children"))
    _element(children, layout.child, layout)
    return etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def _element(parent: etree._Element, node: Node, layout: Layout, *, once: bool = False) -> None:
    occurs = {} if once else {"minOccurs": "0"}
    if isinstance(node, Module) and not once:
        occurs["maxOccurs"] = "unbounded"
    if isinstance(node, Container):
        inner = _sequence(_add(parent, "element", name=node.tag, **occurs))
        for each in node.nodes:
            if isinstance(node, Values):
                _item(inner, node.item, layout, maxOccurs="unbounded")
            else:
                _element(inner, each, layout)
    else:
        if node.separator:
            occurs["maxOccurs"] = "unbounded"
        _item(parent, node, layout, **occurs)


def _item(parent: etree._Element, item: Item, layout: Layout, **occurs: str) -> None:
    element = _add(parent, "element", name=item.element, **occurs)
    codes = layout.code_sets.get(item.codes or "", {})
    if not codes and item.max_length is None:
        element.set("type", _TYPES[item.type])
        return
    limits = _add(_add(element, "simpleType"), "restriction", base=_TYPES[item.type])
    for code in codes:
        _add(limits, "enumeration", value=code)
    if item.max_length is not None:
        _add(limits, "maxLength", value=str(item.max_length))


def _sequence(element: etree._Element) -> etree._Element:
    return _add(_add(element, "complexType"), "sequence")


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{XS}}}{tag}", attributes)
