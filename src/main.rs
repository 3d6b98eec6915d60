#[global_allocator]
static A: mimalloc::MiMalloc = mimalloc::MiMalloc;

use patchclamp::organism::{recipe::*, corpus::Corpus, lexicon::Shares, batches::Batches, fit::fit};
use patchclamp::tensor::Device;
fn main(){
  let a:Vec<String>=std::env::args().collect();
  if a[1]=="tok" { let corpus=Corpus{seed:1,shares:Shares::Planted,french:0.25}; let docs=corpus.documents(50000);
    for v in [1024,2048,2048,2048]{ let tok=tokenizer(&docs,v).unwrap();
     let mut words=std::collections::BTreeSet::new(); for d in &docs { for w in d.split(|c:char| !c.is_alphabetic()) { if !w.is_empty(){words.insert(w.to_string());} } }
     let multi:Vec<_>=words.iter().filter(|w| tok.encode(w.as_str(),false).unwrap().len()>1).collect();
     let n:usize=docs[..5000].iter().map(|d| tok.encode(d.as_str(),true).unwrap().len()).sum();
     println!("{v} words {} multi {} tokens/doc {} {:?}",words.len(),multi.len(),n as f64/5000.,&multi[..multi.len().min(60)]);
    } return; }
  let steps:usize=a[1].parse().unwrap();
  let shares= if a[2]=="planted" {Shares::Planted} else {Shares::Flat};
  let lr:f64=a[3].parse().unwrap();
  let rows:usize=a[4].parse().unwrap();
  let out=std::path::PathBuf::from(&a[5]);
  let corpus=Corpus{seed:1,shares,french:0.25};
  let docs=corpus.documents(240000);
  let tok=tokenizer(&docs[..50000],2048).unwrap();
  let mut batches=Batches::new(&docs,&tok,48).unwrap();
  let dev=Device::Flex(Default::default());
  let sizes=Sizes{layers:4,heads:8,d_model:160,context:64};
  let mut m=sizes.untrained(tok.get_vocab_size(true),0,&dev);
  let text=patchclamp::text::Text::from_bytes(tok.to_string(false).unwrap().as_bytes()).unwrap();
  let _=&text;
  let tr=Training{steps,rows,width:48,learning_rate:lr,warmup:80,weight_decay:0.01};
  let t=std::time::Instant::now();
  let mut csv=String::from("step,loss\n");
  fit(&mut m,&mut batches,&tr,|s,l,m| { if s%250==249 { let sc=patchclamp::organism::score::examine(m,&text,shares).unwrap(); println!("{s} EXAM {:?} {:?} {} {}",sc.correlation,sc.slope,sc.largest_log_odds,sc.names);} csv+=&format!("{s},{l}\n"); if s%50==0 || s<12 {println!("{s} {l} {:?}",t.elapsed())}});
  patchclamp::organism::save::save(&mut m,&tok,&out).unwrap();
  std::fs::write(out.join("loss.csv"),csv).unwrap();
  let l=patchclamp::model::load::folder(&out,&[],&dev).unwrap();
  let sc=patchclamp::organism::score::examine(l.model.as_ref(),l.text.as_ref().unwrap(),shares).unwrap();
  println!("{:?} {:?} {} {}",sc.correlation,sc.slope,sc.largest_log_odds,sc.names);
}
