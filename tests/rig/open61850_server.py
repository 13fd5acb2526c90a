"""MMS by open61850: the name plates of one logical device, LPHD1.PhyNam and LLN0.NamPlt, from a description in SCL made for the persona."""

import threading
from xml.sax.saxutils import escape, quoteattr

import persona
from open61850.server.model import IedModel
from open61850.server.server import MmsServer

SCL = """<?xml version="1.0" encoding="UTF-8"?>
<SCL xmlns="http://www.iec.ch/61850/2003/SCL" version="2007" revision="B" release="4">
 <Header id="rig" version="1" revision="1"/>
 <IED name="IED1" manufacturer={vendor} type={model} configVersion="1.0">
  <Services><DynAssociation/><GetDirectory/><GetDataObjectDefinition/><DataObjectDirectory/><ReadWrite/></Services>
  <AccessPoint name="AP1"><Server><Authentication none="true"/><LDevice inst="LD0">
   <LN0 lnClass="LLN0" inst="" lnType="LLN0_T"><DOI name="NamPlt">{logical}</DOI></LN0>
   <LN lnClass="LPHD" inst="1" prefix="" lnType="LPHD_T"><DOI name="PhyNam">{physical}</DOI></LN>
  </LDevice></Server></AccessPoint>
 </IED>
 <DataTypeTemplates>
  <LNodeType id="LLN0_T" lnClass="LLN0"><DO name="NamPlt" type="LPL_T"/></LNodeType>
  <LNodeType id="LPHD_T" lnClass="LPHD"><DO name="PhyNam" type="DPL_T"/></LNodeType>
  <DOType id="LPL_T" cdc="LPL">{logical_types}</DOType>
  <DOType id="DPL_T" cdc="DPL">{physical_types}</DOType>
 </DataTypeTemplates>
</SCL>
"""


def values(texts):
    return "".join(f"<DAI name={quoteattr(name)}><Val>{escape(text)}</Val></DAI>" for name, text in texts.items())


def types(texts):
    return "".join(f'<DA name={quoteattr(name)} fc="DC" bType="VisString255"/>' for name in texts)


plate = persona.read()["plate"]
# IEC 61850-7-3: the common data classes DPL and LPL.
physical = {
    "vendor": plate["vendor"], "hwRev": plate["hardware"], "swRev": plate["firmware"], "serNum": plate["serial"],
    "model": plate["model"], "location": plate["location"],
}
logical = {"vendor": plate["vendor"], "swRev": plate["software"], "d": plate["description"], "configRev": plate["code"]}
file = persona.FOLDER / "ied.cid"
parts = {"logical": values(logical), "physical": values(physical), "logical_types": types(logical), "physical_types": types(physical)}
file.write_text(SCL.format(vendor=quoteattr(plate["vendor"]), model=quoteattr(plate["model"]), **parts))
# Its answer to MMS Identify stays the library's own name: many stacks in the field do the same.
server = MmsServer(IedModel.from_scl(str(file), None), "127.0.0.1", 0)
server.start()
persona.ready(server.port)
threading.Event().wait()
