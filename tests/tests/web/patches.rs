//! A patch server's list through the API and the page: what contradicts a device needs somebody, and stands on the device's page.

use nameplate_tests::place::needed;
use nameplate_tests::product::Product;
use nameplate_tests::web::Asker;
use serde_json::json;

use super::Plant;
use super::readings::{heard, id_of};

#[test]
fn what_a_patch_server_says_stands_beside_what_the_device_says() {
    let test = "what_a_patch_server_says_stands_beside_what_the_device_says";
    let Some(product) = needed(test, Product::find()) else { return };
    let plant: Plant = heard(&product, "2.60");
    let (engineer, viewer) = (plant.session("engineer"), plant.session("viewer"));
    let (id, before) = (id_of(&plant, &viewer), plant.entries());
    let get = |path: &str| plant.gate.get(&viewer, &format!("/api/v1{path}"));
    let list =
        format!("id,host,patch,state,release,title\n{id},,FW-2.70,installed,2.70,<b>x</b>\n,hmi-1,5034441,installed,,\n,,P,installed,,\n");
    let path = "/api/v1/imports/host-patches?name=wsus.csv&system=WSUS";
    let taken = plant.gate.file(&engineer, path, &list).expect(200).json();
    assert_eq!([&taken["rows"], &taken["new_hosts"], &taken["left_out"]], [&json!(2), &json!(1), &json!(1)], "{taken}");
    assert_eq!((&taken["system"], &taken["left_out_rows"][0]["line"]), (&json!("wsus"), &json!(4)), "{taken}");
    assert!(taken["summary"].as_str().is_some_and(|said| said.contains("contradict patch servers in 1 case")), "{taken}");
    assert_eq!(plant.entries(), before + 3, "who took it in, the new host, and what is said");
    let all = get("/patches").expect(200).json();
    assert_eq!((&all["matched"], &all["patches"][0]["stand"]), (&json!(2), &json!("contradicted")), "{all}");
    let one = get(&format!("/patches?asset={id}&stand=contradicted")).expect(200).json()["patches"][0].clone();
    assert_eq!([&one["asset"], &one["release"], &one["read"]], [&json!(id), &json!("2.70"), &json!("2.60")], "{one}");
    // The capture is older than the list.
    assert_eq!((&one["read_before"], &one["said"][0]["system"]), (&json!(true), &json!("wsus")), "{one}");
    let first = get("/patches?limit=1").expect(200).json();
    let second = get(&format!("/patches?limit=1&after={}", first["next"].as_str().expect("more"))).expect(200).json();
    assert_eq!((&second["patches"][0]["stand"], second.get("next")), (&json!("nothing_to_read"), None), "{second}");
    let page = |path: &str| plant.gate.get(&viewer, path).expect(200).body;
    assert!(page("/").contains("wsus holds firmware_revision 2.70 for installed, and the device says 2.60"), "{}", page("/"));
    let device = page(&format!("/devices/{id}"));
    assert!(device.contains("what patch servers say") && device.contains("contradicted"), "{device}");
    // The page takes a list, too; a word taken back changes nothing.
    let fields = [("system", "wsus"), ("host", "")];
    let back = format!("id,patch,state\n{id},FW-2.70,missing\n");
    let came = plant.gate.upload(&engineer, "/imports/host-patches", ("wsus.csv", &back), &fields).expect(200).body;
    assert!(came.contains("1 row of wsus taken"), "{came}");
    assert_eq!(get("/patches?stand=contradicted").expect(200).json()["matched"], json!(1));
    for (query, content, status, why) in [
        ("name=x.csv", "host,patch,state\n", 400, "system is missing"),
        ("name=x.csv&system=a%20b", "host,patch,state\na,P,failed\n", 400, "a patch server's name has"),
        ("name=x.xlsx&system=wsus", "PK", 400, "ends in none of"),
        ("name=x.csv&system=wsus", "host,state\n", 400, "no column names the patch"),
    ] {
        let answered = plant.gate.file(&engineer, &format!("/api/v1/imports/host-patches?{query}"), content).expect(status).json();
        assert!(answered["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{answered}");
    }
    assert_eq!(plant.gate.file(&viewer, path, &list).status, 403);
    assert_eq!(plant.gate.file(&Asker::nobody(), path, &list).status, 401);
    assert_eq!(get("/patches?stand=well").status, 400);
}
